import assert from 'node:assert/strict';
import {mkdirSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {after, before, describe, test} from 'node:test';
import {audit, type Sabotage} from '../../source/engine/audit.ts';
import {findRun} from '../../source/engine/runs.ts';
import {closeInherited} from '../../source/host/descriptors.ts';
import {Fleet} from '../support/fleet.ts';

/* The audit is tested by sabotage: the sandbox is broken in each known way, and exactly the items that should notice do. */

closeInherited();
const cleanup: Array<() => void> = [];
let fleet: Fleet;
before(async () => {
	fleet = new Fleet({after: (undo: () => void) => cleanup.push(undo)} as never, {policy: 'verify: ["true"]\ndeploy:\n  prod:\n    command: x\n    credentials: [DEPLOY_TOKEN]\n'});
	await fleet.agent('audited', 'echo x > x.txt');
});
after(() => {
	for (const undo of cleanup) {
		undo();
	}
});

async function failing(sabotage: Sabotage): Promise<string[]> {
	const context = fleet.context();
	process.env['HOME'] = fleet.home;
	const {items} = await audit(context, findRun(context, 'audited'), sabotage);
	assert.equal(items.length, 6);
	for (const item of items) {
		assert.ok(item.probes.length >= 3, `${item.id} tries ${item.probes.length}`);
	}

	return items.filter(item => item.status !== 'PASS').map(item => `${item.id} ${item.status}`);
}

/** Changes the arguments of bwrap, in the file they were written to. */
function argumentsChanged(change: (argv: string[]) => string[]): Sabotage {
	return {prepared(prepared) {
		return {...prepared, enter(inner, pid) {
			const invocation = prepared.enter(inner, pid);
			const file = invocation.argv.find(argument => argument.endsWith('entered.args'))!;
			writeFileSync(file, `${change(readFileSync(file, 'utf8').split('\0').slice(0, -1)).join('\0')}\0`);
			return invocation;
		}};
	}};
}

const drop = (option: string, values: number) => (argv: string[]) => argv.toSpliced(argv.indexOf(option), 1 + values);
/** The host's own processes in sight: no pid namespace, and the host's /proc. */
const sharedPids = argumentsChanged(argv => {
	const at = argv.indexOf('--proc');
	return argv.map((argument, index) => index === at ? '--dev-bind' : argument).toSpliced(at + 1, 0, '/proc').filter(argument => argument !== '--unshare-pid');
});

const sabotages: Array<[title: string, sabotage: Sabotage, noticing: string[]]> = [
	['nothing is broken', {}, []],
	['the home is bound', {plan: plan => ({...plan, mounts: [...plan.mounts, {source: fleet.home, target: fleet.home, mode: 'read'}]})}, ['repo FAIL']],
	['/etc can be written', {plan(plan) {
		const folder = path.join(fleet.folder, 'etc-written');
		mkdirSync(folder, {recursive: true, mode: 0o777});
		return {...plan, scratch: [...plan.scratch, {target: '/usr/local', size: 10_000, mode: 0o777}]};
	}}, ['repo FAIL']],
	['the filter is off', argumentsChanged(drop('--seccomp', 1)), ['secrets FAIL', 'isolation FAIL']],
	['pids are shared', sharedPids, ['secrets FAIL', 'isolation FAIL']],
	['the ipc namespace is shared', argumentsChanged(drop('--unshare-ipc', 0)), ['isolation FAIL']],
	['the uts namespace is shared', argumentsChanged(drop('--unshare-uts', 0)), ['isolation FAIL']],
	['capabilities are kept', argumentsChanged(argv => argv.map(argument => argument === '--cap-drop' ? '--cap-add' : argument)), ['isolation FAIL']],
	['no limits', {prepared: prepared => ({...prepared, enter(inner, pid) {
		const invocation = prepared.enter(inner, pid);
		return {...invocation, argv: invocation.argv.map(argument => /^--(?:nproc|fsize|data)=/.test(argument) ? argument.replace(/=.*/, '=unlimited') : argument)};
	}})}, ['isolation FAIL']],
	['the environment leaks a credential', {prepared: prepared => ({...prepared, enter: (inner, pid) => prepared.enter({...inner, env: {...inner.env, DEPLOY_TOKEN: 'x'}}, pid)})}, ['deploy FAIL']],
	['the project\'s own git folder is bound for writing', {plan: plan => ({...plan, mounts: plan.mounts.map(mount => mount.source.endsWith('/private.git') ? {...mount, source: path.join(fleet.project, '.git')} : mount)})}, ['repo FAIL', 'review FAIL']],
	['the control sockets are bound', {plan(plan) {
		const {runtime} = fleet.context().paths;
		return {...plan, mounts: [...plan.mounts, {source: runtime, target: runtime, mode: 'read'}]};
	}}, ['deploy FAIL']],
	['/tmp is the host\'s', {plan: plan => ({...plan, scratch: plan.scratch.filter(scratch => scratch.target !== '/tmp'), mounts: [{source: '/tmp', target: '/tmp', mode: 'write', system: true}, ...plan.mounts]})}, ['repo FAIL', 'secrets FAIL']],
	['the network is shared', {prepared: prepared => ({...prepared, enter(inner, pid) {
		const invocation = prepared.enter(inner, pid);
		// Joined are the keeper's other namespaces, but not its network: what is left is the host's.
		return {...invocation, argv: invocation.argv.filter(argument => argument !== '--net')};
	}})}, ['network FAIL', 'isolation FAIL', 'deploy ERROR', 'review ERROR']],
	['the probe does not start', {prepared: prepared => ({...prepared, enter: (inner, pid) => prepared.enter({...inner, argv: ['/nonexistent']}, pid)})}, ['repo ERROR', 'secrets ERROR', 'network ERROR', 'isolation ERROR', 'deploy ERROR', 'review ERROR']],
];

describe('sabotage', () => {
	for (const [title, sabotage, noticing] of sabotages) {
		test(`${title}: ${noticing.length === 0 ? 'six of six' : noticing.join(', ')}`, async () => {
			assert.deepEqual((await failing(sabotage)).sort(), noticing.toSorted());
			// The project may have been harmed by what was let through; the next one starts clean.
			for (const name of readdirSync(path.join(fleet.project, '.git', 'hooks')).filter(name => name.startsWith('post-checkout-'))) {
				process.getBuiltinModule('node:fs').rmSync(path.join(fleet.project, '.git', 'hooks', name));
			}
		});
	}
});

test('what was planted is taken away again', () => {
	const traces = [os.tmpdir(), fleet.home, path.join(fleet.env['FLEET_HOME']!, 'state'), path.join(fleet.project, '.git')].flatMap(folder => readdirSync(folder).filter(name => name.includes('fleet-probe-')));
	assert.deepEqual(traces, []);
});
