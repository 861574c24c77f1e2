import {existsSync, realpathSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {escapeLine} from '../core/text/escape-controls.ts';
import {Refusal} from '../core/refusal.ts';
import {findPaths, type Paths} from '../host/paths.ts';
import {listProjects} from '../engine/project/list-projects.ts';
import type {Run} from '../core/run/run.ts';
import type {FleetClient} from '../protocol/client.ts';
import type {Message, State} from '../tui/state.ts';
import {Store, type Leaving} from '../tui/store.ts';
import {paintFrame} from '../tui/view.ts';
import {TerminalReports} from '../tui/terminal-reports.ts';
import {createClient} from '../terminal/screen-client.ts';
import {endingSignals, onAnyEnd, takeKeyboard, takeTerminal} from '../terminal/take-terminal.ts';
import {define, flag} from './verb.ts';

/** The folder above (or at) this one that looks like a repository: enough for an offer, without starting git. */
function repositoryAbove(folder: string): string | undefined {
	for (let at = realpathSync(folder); ; at = path.dirname(at)) {
		if (existsSync(path.join(at, '.git'))) {
			return at;
		}

		if (at === path.dirname(at)) {
			return undefined;
		}
	}
}

/** Takes what is no key out of what Ink reads. @returns a function that ends it */
function takeReports(send: (message: Message) => void): () => void {
	const reports = new TerminalReports();
	const {stdin} = process;
	const read = stdin.read.bind(stdin);
	stdin.read = size => {
		for (;;) {
			const chunk: unknown = read(size);
			if (chunk === null) {
				return null;
			}

			const {keys, messages} = reports.take(String(chunk));
			for (const message of messages) {
				send(message);
			}

			if (keys !== '') {
				return keys;
			}
		}
	};

	return () => {
		// What was put in its place is the object's own; the method of its class is under it.
		delete (stdin as {read?: unknown}).read;
	};
}

/** What the screen goes on with: its state when it was left, and a text that was edited since. */
type Before = {
	readonly state: State | undefined;
	readonly edited: string | undefined;
	/** Whether a run was started in the terminal meanwhile. */
	readonly hasStarted?: boolean;
};

/** Has the store's state drawn or read out from now on; undefined where it was left already. */
async function begin(
	client: FleetClient,
	store: Store,
	{screenReader, isLeft}: {readonly screenReader: boolean; readonly isLeft: () => boolean},
): Promise<{leave(): void; left: Promise<unknown>} | undefined> {
	if (screenReader) {
		const {readOut} = await import('../tui/spoken/reader.tsx');
		return isLeft() ? undefined : readOut(store, text => process.stdout.write(text));
	}

	const {show} = await import('../tui/show.tsx');
	if (isLeft()) {
		return undefined;
	}

	const shown = show(store);
	client.terminal.mouse(store.snapshot().settings.mouse);
	return shown;
}

/** The end of a start that had its questions in the terminal, as of one that had none. */
function startedSince(known: readonly Run[], runs: readonly Run[]): Message {
	const id = runs.find(run => !known.some(one => one.id === run.id))?.id;
	return {
		type: 'done',
		run: undefined,
		title: 'new run',
		then: 'started',
		code: 0,
		stdout: `${id ?? 'the new run'} was started\n`,
		stderr: '',
		...(id === undefined ? {} : {report: {runs: [id]}}),
	};
}

/** Draws the screen until it is left. @returns its state then, and what it was left for; undefined for its end */
async function draw(
	client: FleetClient,
	before: Before,
	screenReader: boolean,
): Promise<{readonly state: State; readonly wanted: Leaving | undefined}> {
	// Written by functions that are called from elsewhere, which the compiler does not follow into a plain variable.
	const left: {wanted?: Leaving} = {};
	let leave = () => {};
	const leaveFor = (effect: Leaving) => {
		left.wanted = effect;
		leave();
	};

	const size = {columns: process.stdout.columns, rows: process.stdout.rows};
	const store = new Store(client, size, {onLeave: leaveFor, resumeFrom: before.state});
	if (before.edited !== undefined) {
		store.send({type: 'edited', text: before.edited});
	}

	if (before.hasStarted) {
		store.send(startedSince(before.state!.runs, store.snapshot().runs));
	}

	const onSignal = () => leaveFor({type: 'quit'});
	for (const signal of endingSignals) {
		process.on(signal, onSignal);
	}

	const giveBack = screenReader
		? takeKeyboard(process.stdin, process.stdout)
		: takeTerminal(process.stdin, process.stdout, paintFrame(store.snapshot()));
	const giveReports = takeReports(message => store.send(message));
	try {
		const shown = await begin(client, store, {screenReader, isLeft: () => left.wanted !== undefined});
		if (shown) {
			// Whoever draws has to end before the terminal is given back, or the last frame is drawn after that.
			leave = onAnyEnd(() => shown.leave());
			await shown.left;
		}
	} finally {
		leave();
		giveReports();
		client.terminal.mouse(false);
		giveBack();
		for (const signal of endingSignals) {
			process.off(signal, onSignal);
		}

		store.close();
	}

	return {state: store.snapshot(), wanted: left.wanted};
}

/** Has a text edited in the person's editor. */
async function edit(state: State, text: string): Promise<Before> {
	try {
		const {editText} = await import('../terminal/editor.ts');
		const {release} = await import('../terminal/in-terminal.ts');
		await release();
		return {state, edited: await editText(text)};
	} catch (error) {
		return {
			state: {...state, notice: {text: escapeLine((error as Error).message), bad: true}},
			edited: undefined,
		};
	}
}

/** Where the screen was opened; the project is empty for a repository that is none yet. */
function placeOf(paths: Paths, folder: string): FleetClient['here'] {
	const repository = repositoryAbove(folder);
	if (repository === undefined) {
		return {folder, project: undefined};
	}

	return {folder, project: listProjects({paths}).find(project => project.root === repository)?.id ?? ''};
}

export const verb = define({
	summary: 'the screen; also what `fleet` alone opens',
	arguments: {},
	options: {screenReader: flag('the screen as text that is read out, in place of a drawn one')},
	async run(io, _positional, options) {
		if (!process.stdin.isTTY || !process.stdout.isTTY) {
			throw new Refusal('the screen needs a terminal', 'fleet list, or fleet --help');
		}

		if (process.env['TERM'] === 'dumb') {
			throw new Refusal('this terminal cannot draw a screen (TERM=dumb)', 'fleet list, or fleet --help');
		}

		const paths = findPaths();
		const client = createClient(paths, {
			here: placeOf(paths, io.folder),
			agents: async () => (await import('../compose.ts')).compose().agents,
		});
		const screenReader = options.screenReader || process.env['INK_SCREEN_READER'] === 'true';
		let before: Before = {state: undefined, edited: undefined};
		for (;;) {
			const {state, wanted} = await draw(client, before, screenReader);
			if (wanted?.type === 'edit') {
				before = await edit(state, wanted.text);
			} else if (wanted?.type === 'terminal') {
				const {runInTerminal} = await import('../terminal/in-terminal.ts');
				const {problem, succeeded} = await runInTerminal(wanted);
				const notice = problem && {text: escapeLine(`${problem.because}; hint: ${problem.hint}`), bad: true};
				const hasStarted = wanted.argv[0] === 'run' && succeeded > 0;
				before = {state: notice ? {...state, notice} : state, edited: undefined, hasStarted};
			} else {
				client.terminal.title('');
				return;
			}
		}
	},
});
