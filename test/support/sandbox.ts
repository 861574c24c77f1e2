import {after} from 'node:test';
import {openBox as open, type Box} from '../../source/attacks/box.ts';
import type {Invocation, SandboxPlan} from '../../source/core/plan.ts';
import type {PreparedSandbox, Sandbox} from '../../source/core/seams.ts';
import {local} from '../../source/executors/local/index.ts';
import {toolchains} from '../../source/toolchains/registry.ts';
import {closeInheritedLate} from './descriptors.ts';
import {bubblewrap} from '../../source/sandboxes/bubblewrap/index.ts';

export type {Box} from '../../source/attacks/box.ts';

/** A sandbox without a sandbox: what every conformance test must fail against. */
export const nullSandbox: Sandbox = {
	id: 'null',
	probe: bubblewrap.probe,
	prepare(plan, folder): PreparedSandbox {
		const prepared = bubblewrap.prepare(plan, folder);
		const open = (inner: Invocation): Invocation => ({
			argv: ['/usr/bin/env', ...inner.argv],
			cwd: plan.mounts.find(mount => mount.target === plan.cwd)?.source ?? '/tmp',
			env: {...plan.env, ...inner.env},
		});
		return {...prepared, enter: open, alone: open};
	},
};

/** A sandbox with a proxy, as a run has it, which goes with the test. */
export async function openBox(
	options: {sandbox?: Sandbox; plan?(plan: SandboxPlan, folder: string): SandboxPlan} = {},
): Promise<Box> {
	// As the programs do first thing: what the shell that started the tests left open is not the sandbox's.
	closeInheritedLate();
	const box = await open({executor: local, toolchains}, options.sandbox ?? bubblewrap, options);
	after(() => box.close());
	return box;
}
