import assert from 'node:assert/strict';
import {chmodSync, existsSync, mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {Fleet} from '../support/fleet.ts';
import {addToken, login, speak, withForge} from '../support/forge.ts';
import {ownName, serveSsh} from '../support/sshd.ts';
import {serveTls} from '../support/tls.ts';

/*
 * Who pushes and who speaks to a forge's API, against one on the loopback: git over a real OpenSSH server, the real `gh`, and a
 * stand-in for `glab`, which prints what its manual says (Debian does not have it).
 */

const work = 'echo two >> b.txt; git add b.txt; git commit -qm work';

async function verified(fleet: Fleet, name: string): Promise<void> {
	await fleet.agent(name, work);
	fleet.must('verify', name);
}

test('git pushes over ssh with the person’s own key, and answers no question for them', async t => {
	const fleet = new Fleet(t);
	const {forge, env} = await withForge(t, fleet);
	addToken(fleet, forge);
	const sshd = await serveSsh(t, fleet.folder, forge.folder);
	fleet.git('config', 'remote.origin.pushurl', `ssh://${ownName}@127.0.0.1:${sshd.port}/ada/project.git`);
	await verified(fleet, 'fix');
	fleet.git('config', 'core.sshCommand', sshd.stranger);
	const stranger = await speak(fleet, ['publish', 'fix'], env);
	assert.equal(stranger.code, 3);
	assert.match(stranger.stderr, /origin did not take fleet\/fix: /);
	assert.equal(forge.tip('fleet/fix'), '');
	fleet.git('config', 'core.sshCommand', sshd.command);
	const done = await speak(fleet, ['publish', 'fix'], env);
	assert.equal(done.code, 0, done.stderr);
	assert.equal(forge.tip('fleet/fix'), fleet.json('show', 'fix')['verification'].head);
	assert.deepEqual(sshd.asked(), ["git-receive-pack '/ada/project.git'"]);
	assert.equal(forge.pulls.length, 1);

	// Another place to push to would get it, too.
	fleet.git('config', '--add', 'remote.origin.pushurl', '/elsewhere');
	assert.match((await speak(fleet, ['publish', 'fix'], env)).stderr, /the remote origin is pushed to 2 places/);
});

test('the real gh speaks to it with its own login, and a lost answer is looked up', async t => {
	const fleet = new Fleet(t);
	const {forge, env} = await withForge(t, fleet, {host: 'localhost'});
	await verified(fleet, 'fix');
	const nobody = await speak(fleet, ['publish', 'fix'], {...env, GH_ENTERPRISE_TOKEN: ''});
	// gh asks an enterprise's host without a login, too.
	assert.equal(nobody.code, 3);
	assert.match(nobody.stderr, /answered 401: Bad credentials\n\s+hint: .*gh auth login/);
	const wrong = await speak(fleet, ['publish', 'fix'], {...env, GH_ENTERPRISE_TOKEN: 'another'});
	assert.match(wrong.stderr, /answered 401: Bad credentials/);
	const own = {...env, GH_ENTERPRISE_TOKEN: login.token};
	forge.lose.add('make');
	const done = await speak(fleet, ['publish', 'fix', '--with', 'gh'], own);
	assert.equal(done.code, 0, done.stderr);
	assert.equal(forge.pulls.length, 1);
	assert.equal(fleet.json('show', 'fix')['published'].via, 'gh');
	assert.equal((await speak(fleet, ['publish', 'fix', '--no-draft'], own)).code, 0);
	assert.equal(forge.pulls[0]!['draft'], false);
	const looked = await speak(fleet, ['publish', 'fix', '--refresh'], own);
	assert.match(looked.stdout, /pull request 1: no checks, not reviewed\n/, looked.stderr);
	const glab = await speak(fleet, ['publish', 'fix', '--with', 'glab'], own);
	assert.match(glab.stderr, /glab does not speak to localhost/);
});

test('glab is called as its manual says', async t => {
	const fleet = new Fleet(t, {policy: 'verify: ["true"]\npublish: {forge: gitlab}\n'});
	const {forge, env} = await withForge(t, fleet, {host: 'localhost'});
	await verified(fleet, 'fix');
	const none = await speak(fleet, ['publish', 'fix'], env);
	assert.match(none.stderr, /glab is not installed, and the vault has no token/);
	const bin = path.join(fleet.folder, 'bin');
	mkdirSync(bin);
	const script = [
		'#!/bin/sh',
		'[ "$1 $2 $3" = "api --include --method" ] || exit 1',
		'method=$4; shift 4',
		'while [ $# -gt 1 ]; do case $1 in --input) data="--data-binary @$2";; esac; shift 2; done',
		`exec curl -sS -i --http1.1 --cacert ${path.join(fleet.folder, 'world.pem')} -X "$method" $data -H "Content-Type: application/json" -H "PRIVATE-TOKEN: ${login.token}" "https://$GITLAB_HOST/api/v4/$1"`,
	];
	writeFileSync(path.join(bin, 'glab'), `${script.join('\n')}\n`);
	chmodSync(path.join(bin, 'glab'), 0o755);
	const done = await speak(fleet, ['publish', 'fix'], {...env, PATH: `${bin}:${fleet.env['PATH']}`});
	assert.equal(done.code, 0, done.stderr);
	assert.match(done.stdout, /draft of merge request 1/);
	assert.equal(forge.pulls.length, 1);
});

test('a forge that lies costs little, is not followed, and gets the token alone', async t => {
	const fleet = new Fleet(t);
	const {forge, env} = await withForge(t, fleet);
	addToken(fleet, forge);
	const elsewhere: string[] = [];
	const port = await serveTls(t, (request, response) => {
		elsewhere.push(request.headers.authorization ?? 'nothing');
		response.end();
	});
	await verified(fleet, 'fix');
	const answers: ReadonlyArray<readonly [string, NonNullable<typeof forge.instead>, RegExp]> = [
		[
			'a redirect',
			(_request, response) => {
				response.writeHead(307, {location: `https://host.fleet.internal:${port}/x`}).end();
				return true;
			},
			/answered 307, a redirect, which is not followed/,
		],
		[
			'an endless body',
			(_request, response) => {
				response.writeHead(200, {'Content-Type': 'application/json'});
				const more = () => {
					while (!response.destroyed && response.write(' '.repeat(65_536))) {
						// Until the other side reads no more.
					}
				};
				response.on('drain', more);
				more();
				return true;
			},
			/sent more than is read/,
		],
		[
			'no JSON',
			(_request, response) => {
				response.end('<html>');
				return true;
			},
			/answered what is not documented/,
		],
		[
			'control characters, and the token itself',
			(request, response) => {
				response
					.writeHead(422)
					.end(JSON.stringify({message: `\u001B[2J${request.headers.authorization}\nhint: rm -rf /`}));
				return true;
			},
			/answered 422: Bearer \[token\]⏎hint: rm -rf \//,
		],
		[
			'another number than a number',
			(request, response) => {
				response.writeHead(request.method === 'GET' ? 200 : 201);
				response.end(request.method === 'GET' ? '[]' : JSON.stringify({number: '1; rm', head: {}}));
				return true;
			},
			/answered what is not documented/,
		],
	];
	for (const [name, instead, words] of answers) {
		forge.instead = instead;
		const {code, stdout, stderr} = await speak(fleet, ['publish', 'fix'], env);
		assert.equal(code, 3, name);
		assert.match(stderr, words, name);
		// eslint-disable-next-line no-control-regex
		assert.doesNotMatch(`${stdout}${stderr}`, /\u001B/, name);
		assert.ok(!`${stdout}${stderr}`.includes(login.token), name);
	}

	assert.deepEqual(elsewhere, []);
	forge.instead = undefined;
	assert.equal((await speak(fleet, ['publish', 'fix'], env)).code, 0);
	assert.equal(forge.pulls.length, 1);

	// A token for another host, or of a class that runs are given, is none.
	for (const [name, ...more] of [
		['other', '--class', 'deploy', '--host', 'other.example'],
		['task', '--class', 'task', '--host', `host.fleet.internal:${forge.port}`],
	]) {
		fleet.must('secret', 'add', name!, '--user', ...more, '--from', 'env:FORGE_TOKEN');
		const refused = await speak(fleet, ['publish', 'fix', '--token', `fleet://user/${name!}`], env);
		assert.match(refused.stderr, /is not a deploy secret for host\.fleet\.internal/);
	}

	addToken(fleet, forge, 'host.fleet.internal', 'second');
	assert.match(
		(await speak(fleet, ['publish', 'fix'], env)).stderr,
		/several secrets are for .*\n\s+hint: name one: --token/,
	);
	assert.equal(existsSync(path.join(fleet.project, 'b.txt')), false);
});
