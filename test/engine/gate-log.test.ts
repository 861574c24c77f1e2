import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {findPaths} from '../../source/host/paths.ts';
import {Journal} from '../../source/host/journal.ts';
import {peopleFile, shared, Teammate} from '../support/teammate.ts';

/* What leaves the machine of a journal, and what of it shows that a journal was changed later. */

async function merged(t: TestContext, push: string) {
	const ada = new Teammate(t, 'ada');
	ada.commit('people', {
		'.fleet/people.yaml': peopleFile([[ada, 'owners']]),
		'.fleet/policy.yaml': `verify: ["test -d ."]\n${push}`,
	});
	const remote = shared(ada, []);
	execFileSync('git', ['-C', remote, 'config', 'receive.denyNonFastForwards', 'true']);
	await ada.agent('work', 'echo two >> a.txt; git commit -qam "Add two"', '--because', 'a secret prompt');
	ada.must('verify', 'work');
	ada.must('approve', 'work', '--because', 'read it');
	return {ada, remote};
}

const branches = (remote: string) =>
	execFileSync('git', ['-C', remote, 'for-each-ref', '--format=%(refname:short)', 'refs/heads/fleet-log'], {
		encoding: 'utf8',
	}).trim();

test('decisions go to a branch that only grows, and a journal that was changed since is told', async t => {
	const {ada, remote} = await merged(t, 'journal: {push: origin}\n');
	ada.must('merge', 'work');
	const branch = branches(remote);
	assert.match(branch, /^fleet-log\/[a-z0-9-]+$/);
	const text = execFileSync('git', ['-C', remote, 'show', `${branch}:runs/work.jsonl`], {encoding: 'utf8'});
	const types = text
		.trim()
		.split('\n')
		.map(line => JSON.parse(line)['type'] as string);
	for (const type of ['run.created', 'verify.finished', 'statement.signed', 'review.approved', 'merge.finished']) {
		assert.ok(types.includes(type), `${type} in ${types.join(' ')}`);
	}

	assert.ok(!text.includes(ada.project) && !text.includes('echo two'), 'no path and no command of this machine');
	assert.match(ada.must('journal', 'push', 'work'), /^0 new lines of work in fleet-log\//);
	assert.match(ada.must('journal', 'verify', 'work'), /^work whole/);

	// A journal that is written anew is whole in itself; the merge and the log know better.
	const places = findPaths(ada.env).run('work');
	const lines = readFileSync(places.journal, 'utf8').split('\n');
	const cut = lines.findIndex(line => line.includes('"type":"statement.signed"'));
	writeFileSync(places.journal, `${lines.slice(0, cut).join('\n')}\n`);
	const journal = Journal.open(places)!;
	journal.append({type: 'review.rejected', because: 'never seen'}, 'person:ada');
	const commit = ada.git('rev-parse', 'main');
	journal.append({type: 'merge.finished', target: 'refs/heads/main', commit, checkout: ''}, 'person:ada');
	journal.close();
	const verified = ada.run(['journal', 'verify', 'work']);
	assert.equal(verified.code, 3, verified.stdout);
	assert.match(verified.stdout, /work broken, .*are not those that the merge [\da-f]{10} was made by/);
	const pushed = ada.run(['journal', 'push', 'work']);
	assert.equal(pushed.code, 3, pushed.stdout);
	assert.match(pushed.stderr, /the journal of work is not what was written down of it at origin/);
});

test('a log that cannot be pushed holds up nothing, and is said', async t => {
	const {ada, remote} = await merged(t, 'journal: {push: elsewhere}\n');
	const {code, stderr} = ada.run(['merge', 'work']);
	assert.equal(code, 0, stderr);
	assert.match(
		stderr,
		/the gate log was not pushed: the project has no remote called elsewhere\n {2}hint: fleet journal push work/,
	);
	assert.equal(branches(remote), '');
	assert.match(ada.must('journal', 'push', 'work'), /^\d+ new lines of work/);
});

test('a record goes out as DSSE, SARIF and Markdown', async t => {
	const {ada} = await merged(t, '');
	ada.must('audit', 'work');
	const [line] = ada.must('journal', 'export', 'work', '--dsse').trim().split('\n');
	const {payload, payloadType, signatures} = JSON.parse(line!);
	assert.equal(payloadType, 'application/vnd.in-toto+json');
	// Another implementation of both: the pre-authentication encoding by hand, and the signature by ssh-keygen.
	const bytes = Buffer.from(payload, 'base64');
	const signature = path.join(ada.folder, 'sig');
	const bare: string = signatures[0].sig;
	writeFileSync(
		signature,
		`-----BEGIN SSH SIGNATURE-----\n${bare.replaceAll(/(.{70})/g, '$1\n')}\n-----END SSH SIGNATURE-----\n`,
	);
	writeFileSync(path.join(ada.folder, 'signers'), `ada ${ada.publicKey}\n`);
	const said = execFileSync(
		'ssh-keygen',
		['-Y', 'verify', '-n', 'fleet-approval', '-I', 'ada', '-s', signature, '-f', path.join(ada.folder, 'signers')],
		{
			input: Buffer.concat([Buffer.from(`DSSEv1 28 application/vnd.in-toto+json ${bytes.length} `), bytes]),
			encoding: 'utf8',
		},
	);
	assert.match(said, /Good "fleet-approval" signature for ada/);
	const sarif = JSON.parse(ada.must('journal', 'export', 'work', '--sarif'));
	assert.equal(sarif.version, '2.1.0');
	assert.deepEqual(
		sarif.runs[0].results.slice(0, 6).map((result: {kind: string}) => result.kind),
		['pass', 'pass', 'pass', 'pass', 'pass', 'pass'],
	);
	const markdown = ada.must('journal', 'export', 'work', '--markdown');
	assert.match(markdown, /^# Run work\n/);
	assert.match(markdown, /\| ada \| approve \| read it \|/);
	assert.equal(ada.run(['journal', 'export', 'work']).code, 2);
});
