import type {SecretView} from '../../../protocol/client.ts';
import {bad, runVerb} from '../../step.ts';
import {askAgain, fact, listNames, type DialogDefinition} from './dialog.ts';

/* The secrets of the vault. A value is never typed here: the verb asks for it in the terminal. */

const add: DialogDefinition = {
	open: () => ({
		title: 'New secret',
		verb: 'go on',
		runs: [],
		lines: [],
		fields: [
			{
				id: 'name',
				label: 'Name',
				value: '',
				hint: 'such as stripe; known: anthropic, openai, gemini, github-copilot',
			},
			{
				id: 'owner',
				label: 'Owner',
				value: 'user',
				hint: '←/→ user: every project; project: this one only',
				choices: ['user', 'project'],
			},
			{id: 'host', label: 'Host', value: '', hint: 'where it may be sent; empty: the default hosts for this name'},
			{id: 'variable', label: 'Variable', value: '', hint: 'optional: environment variable of its pointer in a run'},
		],
	}),
	submit(state, dialog, values) {
		if (!values['name']) {
			return askAgain(state, dialog, {field: 'name', because: 'a name is needed'});
		}

		const argv = [
			'secret',
			'add',
			values['name'],
			values['owner'] === 'project' ? '--project' : '--user',
			...(values['host'] ? ['--host', values['host']] : []),
			...(values['variable'] ? ['--env', values['variable']] : []),
		];
		return {state, effects: [{type: 'terminal', argv, pause: true}]};
	},
};

/** A secret as the subject of a dialog: references of two projects may be the same. */
export function secretSubject(secret: SecretView): string {
	return `${secret.project ?? ''} ${secret.reference}`;
}

const remove: DialogDefinition = {
	open(state, subject) {
		const secret = state.vault?.secrets.find(one => secretSubject(one) === subject);
		return (
			secret && {
				title: `Remove ${secret.reference}, and its value?`,
				runs: [],
				verb: 'remove',
				lines: [
					fact('Store', `${secret.store}, for ${secret.hosts.join(' ')}`),
					secret.holders.length === 0
						? fact('In use', 'by no run')
						: fact('In use', `! by ${listNames(secret.holders.map(({run}) => run)).join(', ')}`, 'warn'),
					fact('Undo', 'none: its value is deleted, where fleet keeps it', 'warn'),
				],
				fields: [{id: 'confirm', label: 'Confirm', value: '', hint: 'type yes'}],
			}
		);
	},
	submit(state, dialog, values) {
		const secret = state.vault?.secrets.find(one => secretSubject(one) === dialog.subject);
		if (!secret || !/^y(?:es)?$/i.test(values['confirm'] ?? '')) {
			return bad(state, 'nothing was removed');
		}

		const project = secret.project === null ? [] : ['--in', secret.project];
		return runVerb(state, undefined, {
			argv: ['secret', 'remove', secret.reference, ...project],
			title: 'remove secret',
			then: 'vault',
		});
	},
};

export const secretDialogs = {'secret-add': add, 'secret-remove': remove};
