import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {bound, sandboxAttack} from '../support/attack.ts';

sandboxAttack({
	title: 'read a key in the person\'s home',
	source: 'the first thing an injected prompt asks for',
	prepare(box) {
		mkdirSync(path.join(box.folder, 'home'), {recursive: true});
		writeFileSync(path.join(box.folder, 'home', 'id_rsa'), 'private-key', {mode: 0o644});
		return () => {};
	},
	script: box => `cat ${box.folder}/home/id_rsa`,
	succeeded: ({output}) => output.includes('private-key'),
	without: bound('home'),
});
