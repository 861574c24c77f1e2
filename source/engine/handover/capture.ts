import {branchRef, capturedExtras, capturedHead, runHead, runRefs} from '../../core/git/refs.ts';
import {gateRefusal} from '../../core/refusal.ts';
import type {Git} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {hasLfs} from '../../core/git/filters.ts';
import {lfsStore, publishContent} from '../../host/lfs.ts';
import {lfsTaken} from './lfs-content.ts';
import {alone} from '../sandbox/alone.ts';
import {sweep} from '../sandbox/jail.ts';
import {readChanges, rememberChanges} from './changes-file.ts';
import {importAlone, type Captured} from './import-work.ts';

/* Publishing a run's work: from the quarantine into the project's repository, under refs of the run's own. */

/** Notes of earlier captures that are said again. */
const maxEarlierNotes = 100;

/**
 * The hand-over: sweep, import, publish under the run's own refs, move the run's branch by compare-and-swap.
 * Nothing is written down where nothing changed since the last time.
 */
export async function capture(context: Context, journal: Journal): Promise<Captured> {
	return alone(context.paths.run(journal.run.id), () => captureAlone(context, journal));
}

async function captureAlone(context: Context, journal: Journal): Promise<Captured> {
	const {run} = journal;
	const places = context.paths.run(run.id);
	const swept = await sweep(context, run, places);
	const {captured, changes, git, extraRefs} = await importAlone(context, run);
	// The list shows what the review will: counted as the review counts.
	rememberChanges(places, {...changes, untracked: readChanges(places)?.untracked ?? 0});
	if (hasLfs(run.filters)) {
		publishContent(lfsTaken(places), await lfsStore({git, commonDir: git.repository.gitDir}));
	}

	const branch = branchRef(run.branch);
	const published = await git.resolve(runHead(run.id));
	const current = await git.resolve(branch);
	const extraSpecs = extraRefs.map(name => `+${name}:${name.replace(capturedExtras, `${runRefs(run.id)}/extra`)}`);
	if (current !== captured.head) {
		const expected = published ?? run.base;
		if (current !== undefined && current !== expected) {
			throw gateRefusal(
				`the branch ${run.branch} was moved outside of fleet, to ${current.slice(0, 10)}`,
				`git branch NEW-NAME ${current.slice(0, 10)}, then git branch -f ${run.branch} ${expected.slice(0, 10)}`,
			);
		}

		await fetchRefs(git, places.quarantine, [`+${capturedHead}:${runHead(run.id)}`, ...extraSpecs]);
		await git.must([
			'update-ref',
			'-m',
			`fleet: work of run ${run.id}`,
			branch,
			captured.head,
			current ?? '0'.repeat(captured.head.length),
		]);
	} else if (published !== captured.head || extraRefs.length > 0) {
		// A stash, or a branch of the agent's own, is work even where its branch did not move.
		await fetchRefs(git, places.quarantine, extraSpecs);
		await git.must(['update-ref', runHead(run.id), captured.head]);
	}

	// What was kept or removed before is so still, though it is not found again.
	const there = new Set((await git.raw('for-each-ref', '--format=%(refname)', runRefs(run.id))).split('\n'));
	const said = (journal.run.captured?.notes ?? []).filter(
		note => note.startsWith('removed ') || there.has(/^kept .*?(refs\/fleet\/runs\/[^:]+):/.exec(note)?.[1] ?? ''),
	);
	const notes = [...new Set([...said.slice(-maxEarlierNotes), ...swept, ...captured.notes])];
	if (
		journal.run.captured?.head !== captured.head ||
		journal.run.captured.base !== captured.base ||
		journal.run.captured.notes.join('\n') !== notes.join('\n') ||
		journal.run.captured.commitFlags.join('\n') !== captured.commitFlags.join('\n')
	) {
		const {head, base, commits, files, wip, extra, commitFlags, packages} = captured;
		journal.append(
			{type: 'run.captured', head, base, commits, files, wip, extra, notes, commitFlags, packages},
			'fleet',
		);
	}

	return captured;
}

async function fetchRefs(git: Git, from: string, specs: string[]): Promise<void> {
	if (specs.length > 0) {
		await git.must([
			'-c',
			'fetch.fsckObjects=true',
			'fetch',
			'--quiet',
			'--no-tags',
			'--no-write-fetch-head',
			'--refmap=',
			'--no-recurse-submodules',
			from,
			...specs,
		]);
	}
}
