import {personRefusal, Refusal} from '../../core/refusal.ts';
import {describeBinding, formatReference} from '../../core/secrets/secret.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {findLoginAgent, findOwnLogin, keepLogin} from '../../engine/logins/own-login.ts';
import {ask} from '../../terminal/ask.ts';
import {secretDocument} from '../documents.ts';
import {storeFor} from './add.ts';
import {storeText} from './holders.ts';
import type {SecretAction} from './options.ts';

/** `fleet secret login` */
export const login: SecretAction = async (context, io, {name, options}) => {
	const one = findLoginAgent(context, name);
	const {need} = one;
	const found = findOwnLogin(one);
	const isRefreshed = found.login.refresh !== undefined;
	const file = escapeLine(found.file);
	io.err(
		`reads the login of ${need.title} from ${file}, and keeps it as fleet://user/${need.secret}\n` +
			`  bound to ${describeBinding(need.binding)}\n` +
			(isRefreshed
				? '  fleet refreshes it from then on, for all runs. Such a login is good for one user: if the copy in the file is\n' +
					`  used as well, it may end for both. Sign in again for yourself, afterwards: ${need.signIn}\n`
				: '  it lives until it is taken back, and is not refreshed\n'),
	);
	if (!options.yes) {
		if (!io.interactive) {
			throw personRefusal(
				'a person says whether their login is read, and there is nobody to ask',
				`fleet secret login ${need.name} --yes`,
			);
		}

		if (!/^y(?:es)?$/i.test((await ask('read it? [y/N] ', false)).trim())) {
			throw new Refusal('the login was not read', 'nothing was written');
		}
	}

	const {store} = await storeFor(context, io, {options, proposed: undefined});
	if (store !== 'keyring' && store !== 'age') {
		throw new Refusal('a login is kept in a vault, since it changes', '--store keyring or --store age');
	}

	const entry = await keepLogin(context, need, {login: found.login, store});
	if (options.json) {
		io.json(secretDocument(entry, []));
		return;
	}

	io.out(
		`${formatReference(entry.reference)} is kept: ${storeText(store, undefined)}\n` +
			(isRefreshed ? `  sign in again for yourself: ${need.signIn}\n` : '') +
			`  a run uses it: fleet run --agent ${one.agent.id} --model PROMPT\n`,
	);
};
