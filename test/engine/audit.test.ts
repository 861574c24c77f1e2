import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {chmodSync, cpSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {after, before, describe, test} from 'node:test';
import {audit, type Sabotage} from '../../source/engine/audit/audit.ts';
import {findRun} from '../../source/engine/runs.ts';
import {giveToRun} from '../../source/host/run-owner.ts';
import {closeInheritedLate} from '../support/descriptors.ts';
import {keepCapabilities} from '../attacks/protections.ts';
import {Fleet, until} from '../support/fleet.ts';

/*
 * The audit is tested by sabotage: the sandbox is broken in
 * each known way, and exactly the items that should notice do.
 */

closeInheritedLate();
const cleanup: Array<() => void> = [];
let fleet: Fleet;
before(async () => {
	fleet = new Fleet(
		{after: (undo: () => void) => cleanup.push(undo)},
		{
			policy: 'verify: ["true"]\ndeploy:\n  prod:\n    command: x\n    credentials: [DEPLOY_TOKEN]\n',
		},
	);
	await fleet.agent('audited', 'echo x > x.txt');
	// So that what is in the home is protected by the sandbox, not by the folder's mode.
	chmodSync(fleet.home, 0o755);
	chmodSync(fleet.folder, 0o755);
	cpSync(path.join(fleet.project, '.git'), path.join(fleet.folder, 'git-before'), {recursive: true});
});
after(() => {
	for (const undo of cleanup) {
		undo();
	}
});

/** The project, and the folders, as they were: a sabotage lets real harm through. */
function restore(): void {
	if (process.getuid?.() === 0) {
		execFileSync('chown', ['-R', '0:0', path.join(fleet.project, '.git')]);
	}

	chmodSync(fleet.context().paths.runtime, 0o700);
	const git = path.join(fleet.project, '.git');
	rmSync(git, {recursive: true});
	cpSync(path.join(fleet.folder, 'git-before'), git, {recursive: true});
}

async function failing(sabotage: Sabotage): Promise<string[]> {
	const context = fleet.context();
	process.env['HOME'] = fleet.home;
	const {items} = await audit(context, findRun(context, 'audited'), {sabotage});
	assert.equal(items.length, 6);
	for (const item of items) {
		assert.ok(item.status === 'ERROR' || item.probes.length >= 3, `${item.id} tries ${item.probes.length}`);
	}

	return items.filter(item => item.status !== 'PASS').map(item => `${item.id} ${item.status}`);
}

/** Changes the arguments of bwrap, in the file they were written to. */
function argumentsChanged(change: (argv: string[]) => string[]): Sabotage {
	return {
		prepared(prepared) {
			return {
				...prepared,
				enter(inner, pid) {
					const invocation = prepared.enter(inner, pid);
					const file = invocation.argv.find(argument => argument.endsWith('entered.args'))!;
					writeFileSync(file, `${change(readFileSync(file, 'utf8').split('\0').slice(0, -1)).join('\0')}\0`);
					return invocation;
				},
			};
		},
	};
}

const drop = (option: string, values: number) => (argv: string[]) => argv.toSpliced(argv.indexOf(option), 1 + values);
/** The host's own processes in sight: no pid namespace, and the host's /proc. */
const sharedPids = argumentsChanged(argv => {
	const at = argv.indexOf('--proc');
	return argv
		.map((argument, index) => (index === at ? '--dev-bind' : argument))
		.toSpliced(at + 1, 0, '/proc')
		.filter(argument => argument !== '--unshare-pid');
});

const sabotages: Array<[title: string, sabotage: Sabotage, noticing: string[]]> = [
	['nothing is broken', {}, []],
	[
		'the home is bound',
		{plan: plan => ({...plan, mounts: [...plan.mounts, {source: fleet.home, target: fleet.home, mode: 'read'}]})},
		['repo FAIL', 'secrets FAIL'],
	],
	[
		'/usr/local can be written',
		{plan: plan => ({...plan, scratch: [...plan.scratch, {target: '/usr/local', size: 10_000, mode: 0o777}]})},
		['repo FAIL'],
	],
	['the filter is off', argumentsChanged(drop('--seccomp', 1)), ['secrets FAIL', 'isolation FAIL']],
	['pids are shared', sharedPids, ['secrets FAIL', 'isolation FAIL']],
	['the ipc namespace is shared', argumentsChanged(drop('--unshare-ipc', 0)), ['isolation FAIL']],
	[
		'the uts namespace is shared',
		argumentsChanged(argv => drop('--hostname', 1)(drop('--unshare-uts', 0)(argv))),
		['isolation FAIL'],
	],
	[
		'the last capabilities are kept',
		{prepared: prepared => ({...prepared, enter: (inner, pid) => keepCapabilities(prepared.enter(inner, pid))})},
		['isolation FAIL'],
	],
	[
		'no limits',
		{
			prepared: prepared => ({
				...prepared,
				enter(inner, pid) {
					const invocation = prepared.enter(inner, pid);
					return {...invocation, argv: invocation.argv.filter(argument => !/^--(?:nproc|fsize|data)=/.test(argument))};
				},
			}),
		},
		['isolation FAIL'],
	],
	[
		'the environment leaks a credential',
		{
			prepared: prepared => ({
				...prepared,
				enter: (inner, pid) => prepared.enter({...inner, env: {...inner.env, DEPLOY_TOKEN: 'x'}}, pid),
			}),
		},
		['deploy FAIL'],
	],
	[
		"the project's own git folder is bound for writing",
		{
			plan(plan) {
				// Where the caller is root, the uid drop is in the way, too: the sabotage takes that away with it.
				giveToRun('audited', path.join(fleet.project, '.git'));
				return {
					...plan,
					mounts: plan.mounts.map(mount =>
						mount.source.endsWith('/private.git') ? {...mount, source: path.join(fleet.project, '.git')} : mount,
					),
				};
			},
		},
		['repo FAIL', 'review FAIL'],
	],
	[
		'the control sockets are bound',
		{
			plan(plan) {
				const {runtime} = fleet.context().paths;
				chmodSync(runtime, 0o755);
				for (const name of readdirSync(runtime)) {
					chmodSync(path.join(runtime, name), 0o777);
				}

				return {...plan, mounts: [...plan.mounts, {source: runtime, target: runtime, mode: 'read'}]};
			},
		},
		['deploy FAIL'],
	],
	[
		"files and a socket of the host's /tmp are bound",
		{
			plan(plan) {
				const planted = readdirSync('/tmp')
					.filter(name => name.startsWith('.fleet-probe-'))
					.map(name => path.join('/tmp', name));
				for (const file of planted) {
					chmodSync(file, 0o777);
				}

				return {
					...plan,
					mounts: [...plan.mounts, ...planted.map(file => ({source: file, target: file, mode: 'read' as const}))],
				};
			},
		},
		['repo FAIL', 'secrets FAIL'],
	],
	[
		'the network is shared',
		{
			prepared: prepared => ({
				...prepared,
				enter(inner, pid) {
					const invocation = prepared.enter(inner, pid);
					// Joined are the holder's other namespaces, but not its network: what is left is the host's.
					return {...invocation, argv: invocation.argv.filter(argument => argument !== '--net')};
				},
			}),
		},
		['network FAIL', 'isolation FAIL', 'deploy ERROR', 'review ERROR'],
	],
	[
		'the probe does not start',
		{
			prepared: prepared => ({
				...prepared,
				enter: (inner, pid) => prepared.enter({...inner, argv: ['/nonexistent']}, pid),
			}),
		},
		['repo ERROR', 'secrets ERROR', 'network ERROR', 'isolation ERROR', 'deploy ERROR', 'review ERROR'],
	],
];

describe('sabotage', () => {
	for (const [title, sabotage, noticing] of sabotages) {
		test(`${title}: ${noticing.length === 0 ? 'six of six' : noticing.join(', ')}`, async () => {
			assert.deepEqual((await failing(sabotage)).sort(), noticing.toSorted());
			restore();
		});
	}
});

test('what was planted is taken away again', async () => {
	const traces = () =>
		[os.tmpdir(), fleet.home, path.join(fleet.env['FLEET_HOME']!, 'state'), path.join(fleet.project, '.git')].flatMap(
			folder => readdirSync(folder).filter(name => name.includes('fleet-probe-')),
		);
	// Other tests audit at the same time, and plant in the same folder for temporary files; what is left behind stays.
	await until(() => traces().length === 0, `nothing is left: ${traces().join(' ')}`, 60_000);
});
