import {describeBinding} from '../../core/secrets/secret.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {localStamp} from '../../core/text/time.ts';
import {listRuns} from '../../engine/runs.ts';
import {secretDocument} from '../documents.ts';
import {holdersOf, storeText} from './holders.ts';
import type {SecretAction} from './options.ts';
import {findNamed} from './reference.ts';

/** `fleet secret show` */
export const show: SecretAction = async (context, io, request) => {
	const {entry} = await findNamed(context, io, request);
	const document = secretDocument(entry, holdersOf(listRuns(context), entry));
	if (request.options.json) {
		io.json(document);
		return;
	}

	const line = (title: string, text: string) => io.out(`${title.padEnd(10)} ${escapeLine(text)}\n`);
	line('reference', document.reference);
	if (entry.project !== undefined) {
		line('project', entry.project);
	}

	line('value', storeText(entry.store, entry.source));
	if (entry.login !== undefined) {
		line('login', `${entry.login}; its state: fleet secret check ${entry.reference.name}`);
	}

	line('class', document.class);
	line('bound', describeBinding(entry.binding));
	line('changed', entry.changedAt);
	for (const {run, scope, until} of document.holders) {
		line('granted', `${run}, ${scope}, ${until === null ? 'until the run ends' : `until ${localStamp(until)}`}`);
	}
};
