import type {Finding} from '../../core/publish/protection.ts';
import {exitCodes} from '../../core/refusal.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import type {Tone} from '../../core/text/spans.ts';
import type {Context} from '../../engine/context.ts';
import {findProject} from '../../engine/project/projects.ts';
import {findProtection, reportName, type ProtectionOrder} from '../../engine/publish/protection.ts';
import {asTyped} from '../../terminal/as-typed.ts';
import type {Io} from '../../terminal/program.ts';
import {printTable} from '../../terminal/report.ts';

const tones: Readonly<Record<Finding['state'], Tone>> = {ok: 'good', lacks: 'bad', inconclusive: 'warn'};

async function print(io: Io, rules: readonly Finding[]): Promise<void> {
	const isTable = await printTable(io, {
		columns: [{title: 'STATE'}, {title: 'RULE', least: 8}, {title: 'FOUND', least: 24}],
		rows: rules.map(({id, state, because}) => [
			{text: state, tone: tones[state]},
			{text: escapeLine(id)},
			{text: escapeLine(because)},
		]),
	});
	const hinted = rules.filter(({hint}) => hint !== '');
	if (isTable) {
		io.out(hinted.length === 0 ? '' : '\nhints\n');
		for (const {id, hint} of hinted) {
			io.out(`  ${escapeLine(id)}: ${asTyped(escapeLine(hint))}\n`);
		}

		return;
	}

	for (const {id, state, because, hint} of rules) {
		io.out(`${state.padEnd(12)}  ${escapeLine(id).padEnd(14)} ${escapeLine(because)}\n`);
		io.out(hint === '' ? '' : `${''.padEnd(12)}  ${''.padEnd(14)} hint: ${asTyped(escapeLine(hint))}\n`);
	}
}

/** Says what the rules of a branch at its forge have and lack. @returns the exit code */
export async function checkForge(
	io: Io,
	context: Context,
	{project: named, json, ...order}: ProtectionOrder & {readonly project: string | undefined; readonly json: boolean},
): Promise<number> {
	const project = await findProject(context, named, io.folder);
	const report = await findProtection(context, project, order);
	const of = (state: Finding['state']) => report.rules.filter(one => one.state === state).length;
	const [lacks, inconclusive] = [of('lacks'), of('inconclusive')];
	if (json) {
		io.json({ok: lacks + inconclusive === 0, ...report});
	} else {
		await print(io, report.rules);
		io.out(
			`\n${escapeLine(reportName(report))}: ${of('ok')} hold, ${lacks} lacking, ${inconclusive} inconclusive\n` +
				'not covered here: who may change these settings\n',
		);
	}

	if (lacks > 0) {
		return exitCodes.gate;
	}

	return inconclusive > 0 ? exitCodes.inconclusive : exitCodes.ok;
}
