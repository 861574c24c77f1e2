import {emptyReview} from '../core/review/comments.ts';
import {parseDiff} from '../core/review/diff.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import type {ActionResult, FleetClient} from '../protocol/client.ts';
import {maxFound} from './found-state.ts';
import type {Effect, Message, Progress} from './state.ts';

/** What reads verbs' documents; not loaded before the first of them, since the first frame needs none. */
function schemas() {
	return Promise.all([import('valibot'), import('../protocol/views.ts')]);
}

/**
 * Does what the screen asked for, and says what came of it. There are no optimistic updates: a run changes on the
 * screen when its journal does. Long, as it has one case for each effect, and each is short.
 */
// oxlint-disable-next-line max-lines-per-function -- the reason is above
export async function perform(client: FleetClient, effect: Effect, send: (message: Message) => void): Promise<void> {
	switch (effect.type) {
		case 'act': {
			send(await act(client, effect, send));
			break;
		}

		case 'diff': {
			const result = await client.act(['diff', effect.run, '--raw']);
			let problem = problemOf(result);
			let review = emptyReview;
			try {
				review = client.review(effect.run);
			} catch (error) {
				// A damaged review is said to be that: shown as an empty one, its comments would seem gone.
				problem ??= escapeLine((error as Error).message);
			}

			send({
				type: 'diff',
				run: effect.run,
				files: parseDiff(problem === undefined ? result.stdout : ''),
				review,
				packages: problem === undefined ? client.packages(effect.run) : [],
				binaries: result.report?.binaries,
				problem,
			});
			break;
		}

		case 'whole': {
			const result = await client.act(['diff', effect.run, '--raw', `--whole=${effect.path}`]);
			const problem = problemOf(result);
			const file = parseDiff(result.stdout).find(({path}) => path === effect.path);
			send(
				problem === undefined && file
					? {type: 'whole', run: effect.run, file}
					: {type: 'said', text: problem ?? `${escapeLine(effect.path)}: not part of the change any more`, bad: true},
			);
			break;
		}

		case 'compare': {
			const result = await client.act(['diff', effect.run, '--raw']);
			const problem = problemOf(result);
			// What could not be read is not nothing.
			send(
				problem === undefined
					? {type: 'compared', run: effect.run, files: parseDiff(result.stdout)}
					: {type: 'said', text: `${effect.run}: ${problem}`, bad: true},
			);
			break;
		}

		case 'save-review': {
			const problem = client.saveReview(effect.run, effect.review);
			if (problem !== undefined) {
				send({type: 'said', text: problem, bad: true});
			}

			break;
		}

		case 'vault': {
			const [secrets, stores] = await Promise.all([
				client.act(['secret', 'list', '--json']),
				client.act(['secret', 'stores', '--json']),
			]);
			if (secrets.code === 0 && stores.code === 0) {
				const [{parse}, {secretViews, storeViews}] = await schemas();
				send({
					type: 'vault',
					vault: {
						secrets: parse(secretViews, JSON.parse(secrets.stdout)),
						stores: parse(storeViews, JSON.parse(stores.stdout)),
					},
				});
			}

			break;
		}

		case 'profiles': {
			const {code, stdout} = await client.act(['profile', '--json']);
			if (code === 0) {
				const [{parse}, {profileViews}] = await schemas();
				send({type: 'profiles', profiles: parse(profileViews, JSON.parse(stdout))});
			}

			break;
		}

		case 'offer': {
			const {code, stdout} = await client.act(['project', 'show', effect.project, '--json']);
			if (code === 0) {
				const [{parse}, {projectView}] = await schemas();
				send({type: 'offer', project: effect.project, offer: parse(projectView, JSON.parse(stdout))});
			}

			break;
		}

		case 'deploy-plan': {
			const {run, target} = effect;
			const {code, stdout} = await client.act(['deploy', run, target, '--dry-run', '--json']);
			const [{parse}, {deployPlanView}] = await schemas();
			const plan = code === 0 ? parse(deployPlanView, JSON.parse(stdout)) : undefined;
			send({type: 'deploy-plan', run, target, plan});

			break;
		}

		case 'disk': {
			const {code, stdout} = await client.act(['clean', '--json']);
			if (code === 0) {
				const [{parse}, {diskViews}] = await schemas();
				send({type: 'disk', disk: parse(diskViews, JSON.parse(stdout))});
			}

			break;
		}

		case 'search-logs': {
			const {words} = effect;
			const result = await client.act(['search', '--json', '--limit', String(maxFound), '--', words]);
			const problem = problemOf(result);
			if (problem === undefined) {
				const [{parse}, {searchView}] = await schemas();
				const {found, stopped, logs, of} = parse(searchView, JSON.parse(result.stdout));
				const notes = {limit: 'the newest', time: `${logs} of ${of} logs`, bytes: `${logs} of ${of} logs`};
				send({type: 'found', words, lines: found, note: stopped === null ? '' : notes[stopped]});
			} else {
				send({type: 'said', text: problem, bad: true});
				send({type: 'found', words, lines: [], note: problem});
			}

			break;
		}

		case 'spend': {
			const result = await client.act(['spend', '--by', effect.by, '--json']);
			const problem = problemOf(result);
			if (problem === undefined) {
				const [{parse}, {spendView}] = await schemas();
				send({type: 'spend', by: effect.by, rows: parse(spendView, JSON.parse(result.stdout)).rows});
			} else {
				send({type: 'said', text: problem, bad: true});
			}

			break;
		}

		case 'settings': {
			const problem = await client.saveSettings(effect.settings);
			if (problem !== undefined) {
				send({type: 'said', text: problem, bad: true});
			}

			break;
		}

		default: {
			break;
		}
	}
}

/** Runs a verb, and those that come after it as long as they succeed; says how the last one ended. */
async function act(
	client: FleetClient,
	effect: Effect & {readonly type: 'act'},
	send: (message: Message) => void,
): Promise<Message> {
	const onLine = (line: string): void => {
		const progress = progressOf(line);
		if (progress && effect.run !== undefined) {
			send({type: 'progress', run: effect.run, progress});
		}
	};

	const {run, title, then, input, batch} = effect;
	const ran: Array<readonly string[]> = [];
	let argv = effect.argv;
	let result = await client.act(argv, onLine, input);
	for (const next of effect.more ?? []) {
		if (result.code !== 0) {
			break;
		}

		ran.push(argv);
		argv = next;
		result = await client.act(argv, onLine);
	}

	return {
		type: 'done',
		run,
		title,
		then,
		argv,
		...(input === undefined ? {} : {input}),
		...(batch === undefined ? {} : {batch}),
		...result,
		ran: result.code === 0 ? [...ran, argv] : ran,
	};
}

/** Why a verb failed; undefined where it did not. */
function problemOf({code, stderr, report}: ActionResult): string | undefined {
	return code === 0 ? undefined : escapeLine(report?.refusal?.because ?? stderr.split('\n')[0] ?? '');
}

/** A line such as `{"progress": …}`, among what a verb prints. */
function progressOf(line: string): Progress | undefined {
	if (!line.startsWith('{"progress":')) {
		return undefined;
	}

	try {
		const {progress} = JSON.parse(line) as {progress?: Partial<Progress>};
		// By hand and not by a schema: it comes line by line while a person watches.
		return typeof progress?.done === 'number' && typeof progress.total === 'number' && typeof progress.text === 'string'
			? {done: progress.done, total: progress.total, text: progress.text}
			: undefined;
	} catch {
		// A line that was cut: the next one says more.
		return undefined;
	}
}
