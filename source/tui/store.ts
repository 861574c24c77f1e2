import {escapeLine} from '../core/text/escape-controls.ts';
import type {FleetClient} from '../protocol/client.ts';
import {maxActivity} from './activity-state.ts';
import {noticeMs, withKept} from './kept-notices.ts';
import {LogFollower} from './log/follower.ts';
import {reload} from './navigation.ts';
import {Notifier} from './notifier.ts';
import {perform} from './perform.ts';
import {initialState} from './start.ts';
import {dialogOf} from './focus.ts';
import type {Effect, Message, State} from './state.ts';
import type {ThemeName} from './paint/theme.ts';
import {update} from './update.ts';

/** Activity is read at most this often, milliseconds. */
const activityMs = 500;

/** What the store takes out of the hands of `perform`: the screen ends for a while. */
export type Leaving = Effect & {type: 'quit' | 'terminal' | 'edit'};

/** The theme of a terminal that has not said yet what its background is. */
function themeFor(colours: FleetClient['colours']): ThemeName {
	return ({0: 'plain', 16: 'ansi', 256: 'dark'} as const)[colours];
}

/** Holds the one state, feeds it messages, performs what it asks for, and tells who draws it. */
export class Store {
	#state: State;
	readonly #client: FleetClient;
	readonly #listeners = new Set<() => void>();
	readonly #onLeave: (effect: Leaving) => void;
	readonly #follower: LogFollower;
	readonly #notifier: Notifier;
	/** The end of the verbs of which each waits for the one before it. */
	#serial: Promise<void> = Promise.resolve();
	#grammars: ((paths: readonly string[]) => void) | undefined;
	readonly #unwatch: () => void;
	/** When the notice in view goes away by itself. */
	#fading: NodeJS.Timeout | undefined;
	#activityDue: NodeJS.Timeout | undefined;
	#isClosed = false;
	/** Whether something else had the terminal before. */
	readonly #isBack: boolean;

	/** @param options.onLeave takes the effects that end the screen for a while */
	constructor(
		client: FleetClient,
		size: {columns: number; rows: number},
		{onLeave, resumeFrom}: {readonly onLeave: (effect: Leaving) => void; readonly resumeFrom?: State | undefined},
	) {
		this.#client = client;
		this.#isBack = resumeFrom !== undefined;
		this.#onLeave = onLeave;
		const fresh = initialState({
			...size,
			now: client.now(),
			runs: client.runs(),
			changes: client.changes(),
			projects: client.projects(),
			here: client.here,
			theme: themeFor(client.colours),
		});
		this.#state = resumeFrom
			? {
					...withKept(resumeFrom),
					...size,
					runs: fresh.runs,
					changes: fresh.changes,
					projects: fresh.projects,
					now: fresh.now,
					busy: {},
					fleetBusy: undefined,
					isStarting: false,
					progress: {},
					log: undefined,
					screen: resumeFrom.screen === 'welcome' ? fresh.screen : resumeFrom.screen,
					selected: resumeFrom.selected ?? fresh.selected,
				}
			: fresh;
		this.#notifier = new Notifier(client, () => this.#state.settings, fresh.runs);
		this.#follower = new LogFollower(
			client,
			() => this.#state,
			message => this.send(message),
		);
		this.#unwatch = client.watch(() => this.#refresh());
		this.#look();
		this.#fade();
		// What no first frame needs comes after it.
		setImmediate(() => this.#afterFirstFrame());
	}

	readonly snapshot = (): State => this.#state;

	readonly subscribe = (listener: () => void): (() => void) => {
		this.#listeners.add(listener);
		return () => {
			this.#listeners.delete(listener);
		};
	};

	#afterFirstFrame(): void {
		this.#notifier.showTitle();
		this.#client.agents().then(
			agents => this.send({type: 'agents', agents}),
			() => {},
		);
		this.#askForRecent();
		this.#readActivity();
		if (this.#isBack) {
			for (const effect of reload(this.#state)) {
				this.#perform(effect);
			}
		}

		this.#client.settings().then(
			({settings, problem}) => {
				this.send({
					type: 'settings',
					settings: this.#client.colours === 0 ? {...settings, theme: 'plain'} : settings,
					problem,
				});
				if ((settings.theme === 'auto' || settings.theme === 'contrast') && this.#client.colours === 256) {
					this.#client.terminal.askBackground();
				}
			},
			() => {},
		);
	}

	send(message: Message): void {
		if (message.type === 'focus') {
			this.#notifier.focused(message.isFocused);
			return;
		}

		if (message.type === 'keys' && message.keys.length > 1) {
			this.#typedAhead(message.keys);
			return;
		}

		const before = this.#state;
		const {state, effects} = update(
			before,
			message.type === 'keys' || message.type === 'mouse' ? {...message, at: this.#client.now()} : message,
		);
		this.#state = state;
		if (state !== before) {
			if (state.settings.mouse !== before.settings.mouse) {
				this.#client.terminal.mouse(state.settings.mouse);
			}

			if (state.notice !== before.notice) {
				this.#fade();
			}

			this.#look();
			for (const listener of this.#listeners) {
				listener();
			}
		}

		for (const effect of effects) {
			this.#perform(effect);
		}

		this.#loadGrammars();
	}

	/** Several keys that came at once: each finds what the one before it brought into view. */
	#typedAhead(keys: readonly string[]): void {
		if (isBurst(this.#state, keys)) {
			this.send({type: 'said', text: 'too many keys at once: taken as pasted text, not as keys', bad: true});
			return;
		}

		let asked = false;
		for (const key of keys) {
			const dialog = dialogOf(this.#state);
			// A question that came up meanwhile can be typed into, but nobody has read what enter, or y, would answer.
			if (asked && dialog && (key === 'return' || dialog.yes !== undefined)) {
				break;
			}

			this.send({type: 'keys', keys: [key]});
			asked ||= dialog === undefined && dialogOf(this.#state) !== undefined;
		}
	}

	/** A notice goes away by itself; an error stays until the next key. */
	#fade(): void {
		clearTimeout(this.#fading);
		const {notice} = this.#state;
		if (notice && !notice.bad) {
			this.#fading = setTimeout(() => this.send({type: 'notice-over', notice}), noticeMs);
		}
	}

	close(): void {
		this.#isClosed = true;
		clearTimeout(this.#fading);
		clearTimeout(this.#activityDue);
		this.#unwatch();
		this.#follower.close();
	}

	#perform(effect: Effect): void {
		switch (effect.type) {
			case 'quit':
			case 'terminal':
			case 'edit': {
				this.#onLeave(effect);
				break;
			}

			case 'activity': {
				this.#readActivity();
				break;
			}

			case 'log': {
				this.#follower.page(effect.move);
				break;
			}

			case 'search': {
				void this.#follower.search(effect.backward);
				break;
			}

			case 'copy': {
				this.#copy(this.#follower.text(effect.from, effect.to));
				break;
			}

			case 'copy-text': {
				this.#copy(effect.text);
				break;
			}

			default: {
				if (effect.type === 'act' && effect.batch?.isSerial) {
					this.#serial = this.#serial.then(() => this.#ask(effect));
				} else {
					void this.#ask(effect);
				}
			}
		}
	}

	/** Asks for what only the client can do; never rejects. */
	async #ask(effect: Effect): Promise<void> {
		try {
			await perform(this.#client, effect, message => {
				// What a verb did is in the journal already: the row must not lag behind the words.
				if (message.type === 'done') {
					this.#refresh();
					this.#askForRecent();
				}

				this.send(message);
			});
		} catch (error) {
			// What a verb said was not what this reads; the screen goes on.
			this.send({type: 'said', text: `not understood: ${escapeLine((error as Error).message)}`, bad: true});
		}
	}

	#copy(text: string): void {
		const lines = text.split('\n').length;
		const what = lines === 1 ? text.slice(0, 60) : `${lines} lines`;
		this.#client.terminal.copy(text).then(
			how => this.send({type: 'said', text: `${what}: ${how}`, bad: false}),
			(error: Error) => this.send({type: 'said', text: `not copied: ${error.message}`, bad: true}),
		);
	}

	#refresh(): void {
		const runs = this.#client.runs();
		this.send({
			type: 'data',
			runs,
			changes: this.#client.changes(),
			projects: this.#client.projects(),
			now: this.#client.now(),
		});
		this.#readJournal();
		this.#notifier.tell(runs);
		// What comes fast is read together.
		this.#activityDue ??= setTimeout(() => this.#readActivity(), activityMs);
	}

	#readActivity(): void {
		clearTimeout(this.#activityDue);
		this.#activityDue = undefined;
		this.#client.activity(maxActivity).then(
			({lines, today}) => {
				const known = this.#state.activity;
				const isSame =
					known.lines?.length === lines.length && known.lines.every((line, index) => line === lines[index]);
				if (!this.#isClosed && !(isSame && known.today?.requests === today.requests)) {
					this.send({type: 'activity', lines: isSame ? known.lines : lines, today});
				}
			},
			(error: unknown) =>
				this.send({type: 'said', text: `activity: ${escapeLine((error as Error).message)}`, bad: true}),
		);
	}

	/** Only a new run needs them, so the first frame does not wait. */
	#askForRecent(): void {
		this.#client.recent().then(
			recent => this.send({type: 'recent', recent}),
			() => {},
		);
	}

	#readJournal(): void {
		const {selected, screen, tab} = this.#state;
		if (selected && screen === 'run' && (tab === 'journal' || tab === 'network' || tab === 'scopes')) {
			const entries = this.#client.journal(selected);
			if (entries.length !== this.#state.journal.length) {
				this.send({type: 'journal', run: selected, entries});
			}
		}
	}

	/** Reads what the state shows now. */
	#look(): void {
		// Read before the frame that shows the run, so that there is no frame without its output.
		const log = this.#follower.follow();
		if (log) {
			this.#state = {...this.#state, log};
		}

		if (this.#state.journal.length === 0) {
			this.#readJournal();
		}
	}

	/** Colours for a review's files, once one is looked at. */
	#loadGrammars(): void {
		const {review, screen, tab} = this.#state;
		if (!review || screen !== 'run' || tab !== 'changes' || this.#state.theme === 'plain') {
			return;
		}

		if (this.#grammars) {
			this.#grammars(review.files.map(file => file.path));
			return;
		}

		this.#grammars = () => {};
		import('./review/syntax.ts').then(
			({loadGrammars}) => {
				this.#grammars = paths => void loadGrammars(paths, () => this.send({type: 'grammar'}));
				this.#loadGrammars();
			},
			() => {},
		);
	}
}

/**
 * Whether keys that came at once are a text that was not meant as keys: of those
 * nobody presses four different ones at a time. What goes into a field is typed.
 */
function isBurst(state: State, keys: readonly string[]): boolean {
	const loose = new Set<string>();
	let at = state;
	for (const key of keys) {
		const {focus} = at;
		const isField = focus.type === 'dialog' ? focus.dialog.fields.length > 0 : focus.type !== 'screen';
		if (!isField && ([...key].length === 1 || key === 'space')) {
			loose.add(key);
		}

		at = update(at, {type: 'keys', keys: [key]}).state;
	}

	return loose.size > 3;
}
