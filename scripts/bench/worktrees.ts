// What many files cost the start of a run, beside git alone: written, and taken from a worktree that was made ahead.
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {firstByte, median, openTable, openUndo, report, seconds, sleep} from './table.ts';
import {sparesFolder} from '../../source/engine/run/spare.ts';
import {Fleet} from '../../test/support/fleet.ts';

const files = 100_000;
const perFolder = 200;
const starts = 5;

const {rows, add} = openTable();
const {hooks, undo} = openUndo();
const fleet = new Fleet(hooks);

/** Waits until a worktree was made ahead. */
async function waitForSpare(): Promise<void> {
	const ready = path.join(sparesFolder(fleet.context().paths), path.basename(fleet.project), 'ready');
	while (!existsSync(ready)) {
		await sleep(200);
	}
}

try {
	for (let folder = 0; folder < files / perFolder; folder++) {
		const place = path.join(fleet.project, `part-${folder % 20}`, `folder-${folder}`);
		mkdirSync(place, {recursive: true});
		for (let file = 0; file < perFolder; file++) {
			writeFileSync(path.join(place, `${file}.ts`), `export const v${file} = ${folder};\n`.repeat(10 + (file % 60)));
		}
	}

	fleet.git('add', '--all');
	fleet.git('-c', 'gc.auto=0', 'commit', '--quiet', '--message=many files');
	fleet.git('gc', '--quiet');
	const small = new Fleet(hooks);
	const few = [];
	for (let number = 0; number < starts; number++) {
		few.push(await firstByte(small, `few-${number}`));
	}

	add('a start of a run of few files, to its first byte', seconds(median(few)));
	const alone = [1, 2, 3].map(number => {
		const place = path.join(fleet.folder, `alone-${number}`);
		const began = performance.now();
		execFileSync('git', ['-C', fleet.project, 'worktree', 'add', '--quiet', '--detach', place]);
		return performance.now() - began;
	});
	add(`git worktree add alone, ${files.toLocaleString('en')} files`, seconds(median(alone)));
	const cold = await firstByte(fleet, 'cold');
	add('a first start of a run', seconds(cold), `${(cold / median(alone)).toFixed(2)} × git alone`);
	const warm = [];
	for (let number = 0; number < starts; number++) {
		await waitForSpare();
		warm.push(await firstByte(fleet, `warm-${number}`));
	}

	add(
		'a start with a worktree that was made ahead',
		seconds(median(warm)),
		`${(median(warm) / median(alone)).toFixed(2)} × git alone, ${(median(warm) / median(few)).toFixed(2)} × few files`,
		'≤ 2 s',
	);
} finally {
	undo();
}

report(rows, process.argv.slice(2));
