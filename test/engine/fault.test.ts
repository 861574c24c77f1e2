import assert from 'node:assert/strict';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {createRun} from '../../source/engine/run/create.ts';
import {startSupervisor} from '../../source/engine/run/start-supervisor.ts';
import {findProject} from '../../source/engine/project/projects.ts';
import {Fleet, root, until} from '../support/fleet.ts';

/* What becomes of a run when something in its supervisor fails that should not. */

async function start(fleet: Fleet, script: string): Promise<void> {
	const before = {...process.env};
	Object.assign(process.env, fleet.env);
	try {
		const context = {
			...fleet.context(),
			supervisor: [
				process.execPath,
				'--disable-warning=ExperimentalWarning',
				'--import',
				fileURLToPath(import.meta.resolve('tsx')),
				path.join(root, 'test', 'support', 'failing-supervisor.ts'),
			],
		};
		const {id} = await createRun(context, {
			project: await findProject(context, undefined, fleet.project),
			agent: 'command',
			argv: ['sh', '-c', script],
			name: 'fault',
			allow: ['network:within.test', 'network:later.test', 'network:promise.test'],
			because: 'a test',
		});
		await startSupervisor(context, id);
	} finally {
		process.env = before;
	}
}

const ask = (host: string) => `curl -sS -m 5 -o /dev/null -w '%{http_code}\\n' http://${host}/`;

test('a fault within a request ends its connection, is written down, and the run goes on', async t => {
	const fleet = new Fleet(t);
	await start(fleet, `${ask('within.test')}; ${ask('within.test')}; ${ask('elsewhere.test')}; echo goes on; sleep 60`);
	await until(() => fleet.must('logs', 'fault').includes('goes on'), 'it goes on');
	assert.equal(fleet.stage('fault'), 'running');
	assert.match(fleet.must('logs', 'fault'), /403/, 'and its proxy answers');
	assert.match(fleet.must('journal', 'fault', '--json'), /fleet itself failed at it \(RangeError\)/);
	fleet.must('stop', 'fault');
	assert.equal(fleet.stage('fault'), 'stopped');
});

for (const host of ['later.test', 'promise.test']) {
	test(`a fault that no connection holds (${host}) closes the way out and stops the run, in order`, async t => {
		const fleet = new Fleet(t);
		await start(fleet, `echo work > work.txt; ${ask(host)}; while :; do ${ask('elsewhere.test')}; sleep 0.1; done`);
		await until(() => fleet.stage('fault') === 'stopped', 'it stops', 100_000);
		assert.match(
			fleet.json('show', 'fault')['because'],
			/fleet itself failed \(RangeError\), so its way out was closed/,
		);
		fleet.must('verify', 'fault');
		assert.match(fleet.must('diff', 'fault'), /work\.txt/, 'nothing is lost');
	});
}
