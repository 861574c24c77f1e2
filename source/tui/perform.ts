import {neutralise} from '../core/neutralise.ts';
import type {FleetClient, SecretView, StoreView} from '../protocol/client.ts';
import type {Effect, Message} from './state.ts';

/** Does what the screen asked for, and says what came of it. Pressing a key changes no run: only what comes back does. */
export async function perform(client: FleetClient, effect: Effect, send: (message: Message) => void): Promise<void> {
	switch (effect.type) {
		case 'act': {
			const result = await client.act(effect.argv);
			send({type: 'done', run: effect.run, label: effect.label, argv: effect.argv, ...result});
			break;
		}

		case 'diff': {
			const {code, stdout, stderr} = await client.act(['diff', effect.run]);
			const text = neutralise(code === 0 && stdout !== '' ? stdout : stderr).replace(/\n$/, '');
			send({type: 'diff', run: effect.run, lines: text.split('\n')});
			break;
		}

		case 'vault': {
			const [secrets, stores] = await Promise.all([client.act(['secret', 'list', '--json']), client.act(['secret', 'stores', '--json'])]);
			if (secrets.code === 0 && stores.code === 0) {
				send({type: 'vault', vault: {secrets: JSON.parse(secrets.stdout) as SecretView[], stores: JSON.parse(stores.stdout) as StoreView[]}});
			}

			break;
		}

		case 'terminal':
		case 'quit': {
			break;
		}
	}
}
