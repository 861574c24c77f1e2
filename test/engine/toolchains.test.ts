import assert from 'node:assert/strict';
import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {versionOf} from '../../source/host/program.ts';
import {Fleet} from '../support/fleet.ts';

/* What works in the person's shell works in a run and in its verification, and nothing of it can be written. */

function lay(folder: string, files: Readonly<Record<string, string>>): void {
	for (const [name, text] of Object.entries(files)) {
		const file = path.join(folder, name);
		mkdirSync(path.dirname(file), {recursive: true});
		writeFileSync(file, text);
		chmodSync(file, text.startsWith('#!') ? 0o755 : 0o600);
	}
}

const says = (text: string) => `#!/bin/sh\necho ${text}\n`;

/** A fleet whose person has a tool by pyenv, with a login beside it, and one in a folder that nobody knows. */
function withTools(t: TestContext): Fleet {
	const fleet = new Fleet(t, {policy: 'verify:\n  - wow && cross\n', files: {'.python-version': '3.12\n'}, add: false});
	lay(fleet.home, {
		'.pyenv/shims/wow': says('shim'),
		'.pyenv/versions/3.11.2/bin/wow': says('wow 3.11.2'),
		'.pyenv/versions/3.12.4/bin/wow': says('wow 3.12.4'),
		'.pypirc': 'token',
		'tools/bin/cross': says('cross 1.0'),
	});
	lay(path.join(fleet.folder, 'pinned'), {wow: says('the Node of fleet')});
	const own = [path.join(fleet.home, '.pyenv/shims'), path.join(fleet.home, 'tools/bin'), '/usr/bin', '/bin'];
	fleet.env['FLEET_PATH'] = own.join(':');
	fleet.env['PATH'] = [path.join(fleet.folder, 'pinned'), fleet.env['PATH'], ...own].join(':');
	fleet.must('project', 'add');
	return fleet;
}

test('a run and a verification have the version that the project names, read-only, without the login beside it', async t => {
	const fleet = withTools(t);
	const before = fleet.must('project', 'show');
	assert.match(before, /not given: .*tools\/bin, no toolchain that is known/);
	fleet.settings(`toolchains: [${path.join(fleet.home, 'tools')}]\n`);

	const output = await fleet.agent(
		'one',
		`wow; cross; command -v wow; cat ${fleet.home}/.pypirc; ls ${fleet.home}/.pyenv; ` +
			`echo x > ${fleet.home}/.pyenv/versions/3.12.4/bin/wow || echo kept; ` +
			'echo b > b.txt && git add -A && git commit -qm b',
	);
	assert.match(output, /^wow 3\.12\.4\r?\ncross 1\.0\r?\n/m);
	assert.match(output, /versions\/3\.12\.4\/bin\/wow/);
	assert.match(output, /\.pypirc: No such file/);
	assert.match(output, /^versions\r?$/m, 'of pyenv, nothing but versions is there');
	assert.match(output, /kept/);
	assert.doesNotMatch(output, /shim|the Node of fleet|token/);
	const verified = fleet.must('verify', 'one');
	assert.match(verified, /wow 3\.12\.4\ncross 1\.0/);
});

test('a version that the project names and nobody installed is said, with the command, and no other stands in', async t => {
	const fleet = withTools(t);
	writeFileSync(path.join(fleet.project, '.python-version'), '3.13\n');
	const output = await fleet.agent('two', 'wow || echo none');
	assert.match(output, /none/);
	assert.match(
		fleet.json<{notes: string[]}>('show', 'two').notes.join('\n'),
		/the project wants Python 3\.13, which is not installed: pyenv install 3\.13/,
	);
});

test('a tool that is asked for its version finds no folder to write into, the person has it as root or not', async t => {
	const fleet = new Fleet(t, {add: false});
	lay(fleet.home, {wow: '#!/bin/sh\nmkdir -p "$HOME/.wow" 2>/dev/null && echo written || echo "1.0 $HOME"\n'});
	assert.equal(await versionOf(path.join(fleet.home, 'wow')), '1.0 /dev/null/home');
});
