// Writes the table of attacks into docs/threat-model.md, after trying every one of them on this machine.
// node --import tsx scripts/threats.ts
import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {areas} from '../source/attacks/attack.ts';
import {attacks} from '../source/attacks/catalogue.ts';
import {tryAll} from '../source/attacks/try.ts';
import {closeInheritedLate} from '../test/support/descriptors.ts';
import {attackContext} from '../test/support/attack.ts';
import {root} from '../test/support/fleet.ts';

/** The table, in Markdown. */
export function threatTable(): string {
	const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
	return areas
		.map(area => {
			const own = attacks.filter(attack => attack.area === area);
			return [
				`### ${area}: ${own.length}`,
				'',
				'| Attack | Known from | What answers it |',
				'| --- | --- | --- |',
				...own.map(({title, source, answer}) => `| ${cell(title)} | ${cell(source)} | ${cell(answer)} |`),
			].join('\n');
		})
		.join('\n\n');
}

if (process.argv[1] === import.meta.filename) {
	closeInheritedLate();
	const results = await tryAll(attackContext(), attacks, () => {});
	const bad = results.filter(result => result.status !== 'stopped');
	for (const {id, status, because} of bad) {
		process.stderr.write(`${id}: ${status}, ${because}\n`);
	}

	if (bad.length > 0) {
		process.exit(3);
	}

	const file = path.join(root, 'docs', 'threat-model.md');
	writeFileSync(
		file,
		readFileSync(file, 'utf8').replace(
			/(<!-- attacks -->\n)[\s\S]*(\n<!-- \/attacks -->)/,
			(_, before: string, after: string) => `${before}\n${threatTable()}\n${after}`,
		),
	);
	process.stdout.write(`${results.length} attacks, all stopped; the table is written\n`);
	process.exit(0);
}
