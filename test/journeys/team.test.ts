import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {findPaths} from '../../source/host/paths.ts';
import {Journal} from '../../source/host/journal.ts';
import {program} from '../support/fleet.ts';
import {yardOf, type Machine} from '../support/machines.ts';
import {peopleFile} from '../support/teammate.ts';

/*
 * A play of three people and one agent on three machines, with a git server between them: cy has an agent work, ada and bo
 * decide. What each may they do by their own programs, and what none may is tried and counted.
 */

const policy = `verify: ["test -d ."]
approve:
  people: 2
  from: [maintainers]
  direct: nobody
  breakGlass: [owners]
grants:
  - {scope: "network:*.example.org", by: [maintainers], longest: 1h}
  - {scope: "network:*.example.net", never: true}
  - {scope: "files:/srv", longest: 10m}
deploy:
  production:
    command: echo deployed
    approve: {people: 1, from: [owners], not: [requester]}
`;

const hook = `#!/bin/sh\nexec ${process.execPath} ${program} check --hook\n`;
const isRoot = process.getuid?.() === 0;

test(
	'three people and one agent, on three machines: what each may, and forty things that nobody may',
	{skip: isRoot ? false : 'machines in network namespaces of their own take root'},
	async t => {
		const yard = await yardOf(t, ['cy', 'ada', 'bo'], hook);
		const [cy, ada, bo] = yard.machines as [Machine, Machine, Machine];
		let refusals = 0;
		const refused = (who: Machine, argv: readonly string[], pattern: RegExp) => {
			const {code, stdout, stderr} = who.run(argv);
			assert.match(stderr, pattern, `${who.name}: fleet ${argv.join(' ')}: ${code} ${stdout}${stderr}`);
			assert.ok(code === 2 || code === 3 || code === 4, `${argv.join(' ')}: ${code}`);
			refusals++;
		};

		const pushRefused = (who: Machine, spec: string, pattern: RegExp) => {
			const {code, stderr} = who.tryGit('push', '--force', 'origin', spec);
			assert.match(stderr, pattern, `${who.name}: ${spec}: ${stderr}`);
			assert.notEqual(code, 0);
			refusals++;
		};

		// The beginning: who decides, by the first push, which is taken on trust.
		cy.commit('who decides', {
			'.fleet/people.yaml': peopleFile([[ada, 'owners', 'maintainers'], [bo, 'maintainers'], [cy]]),
			'.fleet/policy.yaml': policy,
		});
		cy.git('push', '--quiet', yard.address(cy), 'main');
		for (const machine of yard.machines) {
			machine.clone(yard.address(machine));
		}

		// Nobody gets past the server without the others: not by hand, and not by forgery.
		const tip = cy.git('rev-parse', 'origin/main');
		ada.commit('by hand', {'b.txt': 'mine\n'});
		pushRefused(ada, 'main', /nobody approved it/);
		ada.git('reset', '--quiet', '--hard', 'origin/main');
		bo.commit('let me in', {
			'.fleet/policy.yaml': policy.replace('people: 2', 'people: 1').replace('direct: nobody', 'direct: anybody'),
		});
		pushRefused(bo, 'main', /nobody approved it/);
		bo.git('reset', '--quiet', '--hard', 'origin/main');
		cy.commit('let me in', {'.fleet/people.yaml': peopleFile([[cy, 'owners', 'maintainers']])});
		pushRefused(cy, 'main', /nobody approved it/);
		cy.git('reset', '--quiet', '--hard', 'origin/main');
		pushRefused(ada, ':main', /is not deleted by a push/);
		const orphan = bo.git('commit-tree', 'origin/main^{tree}', '-m', 'another beginning');
		pushRefused(bo, `${orphan}:main`, /it was rewritten/);

		// The agent: it works inside, and tries to get out.
		await cy.agent(
			'work',
			'echo two >> a.txt; git commit -qam "Add two"; ' +
				'git push origin HEAD:main 2>/dev/null && echo PUSHED; fleet approve work 2>/dev/null && echo APPROVED; ' +
				'ls /run/fleet/keys "$HOME/key" 2>/dev/null && echo KEY; true',
		);
		assert.doesNotMatch(cy.must('logs', 'work'), /PUSHED|APPROVED|KEY/);
		refusals += 3;

		// Scopes: who may, and for how long.
		refused(cy, ['allow', 'work', 'network:api.example.org', '--because', 'x'], /maintainers|may/);
		refused(ada, ['allow', 'work', 'network:api.example.org', '--because', 'x'], /no run/);
		refused(cy, ['allow', 'work', 'network:api.example.net', '--because', 'x'], /never/);
		refused(cy, ['allow', 'work', 'network:API.EXAMPLE.NET', '--because', 'x'], /never/);
		refused(cy, ['allow', 'work', 'files:/srv', '--for', '1h', '--because', 'x'], /10m|10 min|longest|at most/);
		refused(cy, ['allow', 'work', 'network:*', '--because', 'x'], /is not a host/);
		refused(
			cy,
			['run', '--name', 'more', '--allow', 'network:api.example.net', '--because', 'x', '--', 'true'],
			/never/,
		);

		// The gates, one after another.
		refused(cy, ['request', 'work'], /not verified/);
		refused(cy, ['approve', 'work'], /not verified/);
		refused(cy, ['merge', 'work'], /not approved/);
		cy.must('verify', 'work');
		refused(cy, ['approve', 'work'], /not one of those whose yes counts/);
		refused(cy, ['approve', 'work', '--break-glass', '--because', 'now'], /may not merge without the others/);
		refused(cy, ['approve', 'work', '--key', path.join(cy.home, 'none')], /could not sign/);
		refused(cy, ['deploy', 'work', 'production', '--confirm', 'production'], /not merged/);
		cy.must('request', 'work', '--to', 'origin', '--because', 'the second line');
		refused(cy, ['requests', 'approve', 'work'], /not one of those whose yes counts/);
		refused(cy, ['merge', 'work'], /2 people have to approve it; may: ada, bo/);
		refused(ada, ['requests', 'approve', 'other'], /nobody asks for/);
		assert.match(ada.must('requests'), /^work {2}cy asks/);
		ada.must('requests', 'approve', 'work', '--because', 'read it');
		refused(cy, ['merge', 'work'], /2 people have to approve it: ada did; may: bo/);
		ada.must('requests', 'approve', 'work', '--because', 'read it twice');
		refused(cy, ['merge', 'work'], /2 people have to approve it: ada did; may: bo/);
		refused(bo, ['requests', 'reject', 'work'], /a no needs a reason/);
		bo.must('requests', 'reject', 'work', '--because', 'later');
		refused(cy, ['merge', 'work'], /bo rejected it: later/);

		// A line that cy writes into the journal decides nothing.
		const journal = Journal.open(findPaths(cy.env).run('work'))!;
		const {base, head, tree, policy: blob, digest: verify} = journal.run.verification!;
		const accepted = {by: ['ada', 'bo'], requester: 'cy', fourEyes: true, breakGlass: undefined};
		journal.append(
			{type: 'review.approved', base, head, tree, policy: blob, verify, because: '', accepted},
			'person:bo',
		);
		journal.close();
		refused(cy, ['merge', 'work'], /bo rejected it: later/);
		bo.must('requests', 'approve', 'work');
		assert.match(cy.must('request', 'work', '--answers'), /approved by ada, bo/);
		cy.must('merge', 'work');
		refused(cy, ['merge', 'work'], /is merged already/);

		// What was approved reaches the server; what was changed by one line does not.
		const good = cy.git('rev-parse', 'main');
		writeFileSync(path.join(cy.project, 'a.txt'), 'one\ntwo\nthree\n');
		cy.git('commit', '--quiet', '--all', '--amend', '--no-edit');
		pushRefused(cy, 'main', /is about another merged tree/);
		cy.git('reset', '--quiet', '--hard', good);
		cy.git('push', '--quiet', 'origin', 'main');
		pushRefused(ada, `${tip}:main`, /it was rewritten/);

		// The deploy waits for somebody else.
		refused(cy, ['deploy', 'work', 'production', '--confirm', 'production'], /needs a yes of ada, and has none/);
		refused(cy, ['deploy', 'work', 'production', '--approve'], /nobody asked for a deploy/);
		cy.must('deploy', 'work', 'production', '--request', '--because', 'it is Monday');
		refused(cy, ['deploy', 'work', 'production', '--approve'], /cy asked for it/);
		refused(cy, ['deploy', 'work', 'production', '--confirm', 'production'], /waits for a yes of ada/);
		refused(cy, ['deploy', 'work', 'production', '--approve', '--key', bo.key], /bo is none of those/);
		refused(cy, ['deploy', 'work', 'elsewhere', '--confirm', 'elsewhere'], /elsewhere/);
		cy.must('deploy', 'work', 'production', '--approve', '--key', ada.key);
		assert.match(cy.must('deploy', 'work', 'production', '--confirm', 'production'), /production: succeeded/);
		refused(cy, ['deploy', 'work', 'production', '--confirm', 'production'], /the last one was used/);

		// Whoever has only a clone can tell.
		const clone = path.join(bo.folder, 'clone.git');
		bo.git('clone', '--quiet', '--bare', yard.address(bo), clone);
		const apart = path.join(bo.folder, 'nothing');
		mkdirSync(apart);
		const check = (...argv: string[]) =>
			bo.run(['check', '--repo', clone, ...argv], {cwd: apart, env: {FLEET_HOME: apart}});
		const {code, stdout, stderr} = check();
		assert.equal(code, 0, stderr);
		assert.doesNotMatch(stdout, /four eyes: no/);
		execFileSync(
			'git',
			['-C', clone, 'update-ref', 'refs/heads/main', ada.git('commit-tree', `${tip}^{tree}`, '-p', tip, '-m', 'x')],
			{
				env: {...process.env, GIT_ALTERNATE_OBJECT_DIRECTORIES: path.join(ada.project, '.git', 'objects')},
			},
		);
		execFileSync('cp', ['-r', `${path.join(ada.project, '.git', 'objects')}/.`, path.join(clone, 'objects')]);
		assert.equal(check().code, 3);
		refusals++;
		assert.ok(refusals >= 40, `${refusals} refusals`);
	},
);

test('a newcomer with one key and no people file sees nothing of all this', async t => {
	const {Teammate} = await import('../support/teammate.ts');
	const one = new Teammate(t, 'one');
	one.must('project', 'add', '--yes');
	await one.agent('work', 'echo two >> a.txt; git commit -qam "Add two"');
	one.must('verify', 'work');
	const said =
		one.must('approve', 'work', '--because', 'read it') + one.must('merge', 'work') + one.must('show', 'work');
	assert.doesNotMatch(said, /sign|four eyes|people|boundary|requester/i);
	assert.doesNotMatch(one.git('log', '-1', '--format=%B'), /Statement|Four-Eyes|Requested-by/);
});
