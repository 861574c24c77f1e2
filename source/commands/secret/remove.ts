import {Refusal} from '../../core/refusal.ts';
import {formatReference} from '../../core/secrets/secret.ts';
import {removeSecret} from '../../engine/grants/secrets.ts';
import {listRuns} from '../../engine/runs.ts';
import {secretDocument} from '../documents.ts';
import {holdersOf} from './holders.ts';
import type {SecretAction} from './options.ts';
import {findNamed} from './reference.ts';

/** `fleet secret remove` */
export const remove: SecretAction = async (context, io, request) => {
	const {entry} = await findNamed(context, io, request);
	const holders = holdersOf(
		listRuns(context).filter(run => run.stage === 'running' || run.stage === 'frozen'),
		entry,
	);
	if (holders.length > 0) {
		throw new Refusal(
			`${formatReference(entry.reference)} is in use by ${holders.map(({run}) => run).join(', ')}`,
			holders.map(({run, scope}) => `fleet revoke ${run} ${scope}`).join('; '),
		);
	}

	await removeSecret(context, entry);
	if (request.options.json) {
		io.json(secretDocument(entry, []));
	} else {
		const value = entry.store === 'keyring' || entry.store === 'age' ? ', its value with it' : '';
		io.out(`${formatReference(entry.reference)} is removed${value}\n`);
	}
};
