import {listSecrets} from '../../engine/grants/secrets.ts';
import {listRuns} from '../../engine/runs.ts';
import {secretDocument} from '../documents.ts';
import {asTyped} from '../../terminal/as-typed.ts';
import {holdersOf} from './holders.ts';
import type {SecretAction} from './options.ts';

/** `fleet secret list` */
export const list: SecretAction = async (context, io, {options}) => {
	const entries = listSecrets(context);
	const runs = listRuns(context).filter(run => run.stage !== 'discarded');
	const documents = entries.map(entry => secretDocument(entry, holdersOf(runs, entry)));
	if (options.json) {
		io.json(documents);
		return;
	}

	if (entries.length === 0) {
		io.out(asTyped('no secrets: fleet secret add NAME --user, or --project\n'));
		return;
	}

	const rows = [
		['REFERENCE', 'PROJECT', 'CLASS', 'STORE', 'HOSTS', 'GRANTED TO'],
		...documents.map(({reference, project, class: kind, store, hosts, holders}) => [
			reference,
			project ?? '-',
			kind,
			store,
			hosts.join(' ') || '-',
			holders.map(({run}) => run).join(' ') || '-',
		]),
	];
	const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)));
	for (const row of rows) {
		io.out(
			`${row
				.map((cell, column) => cell.padEnd(widths[column]!))
				.join('  ')
				.trimEnd()}\n`,
		);
	}
};
