import assert from 'node:assert/strict';
import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import type {Project} from '../../source/core/project.ts';
import {toolEnvironment} from '../../source/engine/layers/tool-environment.ts';
import {openRepository} from '../../source/engine/project/projects.ts';
import {tryPolicy} from '../../source/engine/project/try-policy.ts';
import {Fleet} from '../support/fleet.ts';

/* What setup tells tools, so that what they leave holds in every checkout. */

const modern = '__metadata:\n  version: 8\n';
const inProject = {YARN_ENABLE_GLOBAL_CACHE: 'false'};

test('Yarn keeps its cache in the project where it runs packages from there', async t => {
	const fleet = new Fleet(t);
	const {git} = await openRepository(fleet.project);
	const cases: ReadonlyArray<readonly [files: Record<string, string>, expected: Record<string, string>]> = [
		[{'yarn.lock': '# yarn lockfile v1\n'}, {}],
		[{'yarn.lock': modern}, inProject],
		[{'.yarnrc.yml': 'nodeLinker: node-modules\n'}, {}],
		[{'apps/web/yarn.lock': modern, 'apps/web/.yarnrc.yml': 'enableTelemetry: false\n'}, inProject],
		[{'apps/web/.yarnrc.yml': 'nodeLinker: "pnpm"\n'}, {}],
		[{'a/b/c/d/yarn.lock': modern}, {}],
	];
	for (const [files, expected] of cases) {
		for (const [name, text] of Object.entries(files)) {
			mkdirSync(path.dirname(path.join(fleet.project, name)), {recursive: true});
			writeFileSync(path.join(fleet.project, name), text);
		}

		fleet.git('add', '--all');
		fleet.git('commit', '--quiet', '--message=next');
		assert.deepEqual(await toolEnvironment(git, 'HEAD'), expected, JSON.stringify(files));
	}
});

test('setup has it, and what setup left without it is not used with it', async t => {
	const fleet = new Fleet(t, {files: {'yarn.lock': modern, '.gitignore': 'made\n'}});
	const project = fleet.json<Project[]>('project', 'list')[0]!;
	const {steps} = await tryPolicy(fleet.context(), project, {
		policy: {
			setup: {commands: ['echo "${YARN_ENABLE_GLOBAL_CACHE-}" > made'], inputs: [], secrets: [], reuse: true},
			verify: ['grep -qx false made'],
			network: [],
		},
		named: [],
		tell() {},
	});
	assert.deepEqual(
		steps.map(({result}) => result),
		['passed', 'passed'],
		JSON.stringify(steps),
	);
});
