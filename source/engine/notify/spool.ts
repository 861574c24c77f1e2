import {mkdirSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import {isName} from '../../core/names.ts';
import {notifyAdapters, type NotifyTarget} from '../../core/notify/adapters.ts';
import {factOf, type NeedFact} from '../../core/notify/facts.ts';
import {foldRun} from '../../core/run/evolve.ts';
import {isQuiet} from '../../core/settings.ts';
import {readJournal} from '../../host/journal.ts';
import {Lock} from '../../host/lock.ts';
import type {Paths} from '../../host/paths.ts';
import {replaceFile} from '../../host/write.ts';
import type {Context} from '../context.ts';
import {parseOwn} from '../own-file.ts';
import {readSettings} from '../project/settings.ts';
import {deliver, type NotifyValues, type Outcome} from './deliver.ts';

/*
 * What is to be told and is not yet: a file for each run, in one folder for all supervisors, so that what happens to several
 * runs at once is one message, and each need is told by one of them.
 */

const kinds = Object.keys(notifyAdapters) as Array<NotifyTarget['kind']>;
const outcomes = v.record(v.picklist(kinds), v.object({ok: v.boolean(), because: v.string(), at: v.string()}));
export type Outcomes = v.InferOutput<typeof outcomes>;

const folderOf = ({state}: Pick<Paths, 'state'>) => path.join(state, 'notify');
const lastOf = (paths: Pick<Paths, 'state'>) => path.join(folderOf(paths), 'last.json');

/** How the last message of each kind of notifier went; a file that cannot be read says nothing. */
export function lastOutcomes(paths: Pick<Paths, 'state'>): Outcomes {
	try {
		return parseOwn(outcomes, readFileSync(lastOf(paths), 'utf8')) ?? {};
	} catch {
		return {};
	}
}

/** Keeps how messages went, for whoever asks later. */
export function keepOutcomes(paths: Pick<Paths, 'state'>, results: readonly Outcome[]): void {
	mkdirSync(folderOf(paths), {recursive: true, mode: 0o700});
	const at = new Date().toISOString();
	const kept = {...lastOutcomes(paths)};
	for (const {kind, ok, because} of results) {
		// Of two of a kind, the one that failed is what has to be known.
		if (ok && results.some(other => other.kind === kind && !other.ok)) {
			continue;
		}

		kept[kind] = {ok, because, at};
	}

	replaceFile(lastOf(paths), `${JSON.stringify(kept)}\n`, {durable: false});
}

/** Says that a run needs a person. */
export function spool(paths: Pick<Paths, 'state'>, {run, need}: NeedFact): void {
	mkdirSync(folderOf(paths), {recursive: true, mode: 0o700});
	replaceFile(path.join(folderOf(paths), `${run}.run`), need, {durable: false});
}

/** Runs that were spooled and need a person for the same reason still; they are told of by nobody else. */
function claim(paths: Paths): NeedFact[] {
	const folder = folderOf(paths);
	const names = readdirSync(folder).filter(name => name.endsWith('.run'));
	return names.flatMap(name => {
		const run = name.slice(0, -'.run'.length);
		const file = path.join(folder, name);
		const need = readFileSync(file, 'utf8');
		rmSync(file, {force: true});
		if (!isName(run)) {
			return [];
		}

		// Whoever looked meanwhile may have done what was needed.
		const state = foldRun(readJournal(paths.run(run).journal).entries);
		const fact = state && factOf(state);
		return fact?.need === need ? [fact] : [];
	});
}

const minutesNow = () => {
	const now = new Date();
	return now.getHours() * 60 + now.getMinutes();
};

/**
 * Tells of all that is spooled, in one message by each notifier. In quiet hours all of it stays where it is, for the first
 * message after them.
 */
export async function flush(context: Context, values: NotifyValues): Promise<void> {
	const {
		notify: {send, quiet},
	} = await readSettings(context.paths);
	if (send.length === 0 || isQuiet(quiet, minutesNow())) {
		return;
	}

	const lock = Lock.acquire(path.join(folderOf(context.paths), 'lock'), 2000);
	if (!lock) {
		return;
	}

	let facts: NeedFact[];
	try {
		facts = claim(context.paths);
	} finally {
		lock.release();
	}

	if (facts.length > 0) {
		keepOutcomes(context.paths, await Promise.all(send.map(async target => deliver(context, target, {facts, values}))));
	}
}
