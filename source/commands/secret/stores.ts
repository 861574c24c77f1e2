import type {SecretAction} from './options.ts';

/** `fleet secret stores` */
export const stores: SecretAction = async (context, io, {options}) => {
	const found = await Promise.all(
		context.vaults.map(async vault => ({id: vault.id, title: vault.title, ...(await vault.probe())})),
	);
	if (options.json) {
		io.json(found.map(({id, title, state, because, hint}) => ({id, title, state, because, hint})));
		return;
	}

	for (const {id, title, state, works, because, hint} of found) {
		const none = works ? 'works' : 'not set up';
		const word = {unlocked: 'unlocked', locked: 'locked, asking', none}[state].padEnd(14);
		const advice = hint === '' ? '' : `${' '.repeat(24)}hint: ${hint}\n`;
		io.out(`${id.padEnd(8)} ${word} ${title}: ${because}\n${advice}`);
	}

	io.out(
		'session  always         nowhere: typed for each run\n' +
			'env, cmd always         from outside: --from env:NAME, --from "cmd:PROGRAM ARGUMENTS"\n',
	);
};
