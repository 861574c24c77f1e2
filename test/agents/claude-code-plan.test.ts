import assert from 'node:assert/strict';
import process from 'node:process';
import {test} from 'node:test';
import {agents} from '../../source/agents/registry.ts';
import {planPrompt} from '../../source/core/tasks/plan-file.ts';
import {findProject} from '../../source/engine/project/projects.ts';
import {createRun} from '../../source/engine/run/create.ts';
import {startSupervisor} from '../../source/engine/run/start-supervisor.ts';
import {isInstalled, openWorld} from '../support/agents.ts';
import {agentValues} from '../support/drive-agent.ts';
import {until} from '../support/fleet.ts';
import {ModelServer} from '../support/model-server.ts';

/* A real agent proposes a plan; what its model says is a script. */

const id = 'claude-code';
const agent = agents.find(agent => agent.id === id)!;
const plan =
	'tasks:\\n  - id: parser\\n    title: Read it\\n    task: Read the format.\\n' +
	'  - id: command\\n    title: A command\\n    task: Add it.\\n    agent: claude-code\\n    after: [parser]\\n';

test(
	`${agent.title} proposes a plan of tasks, which is read from its work and started by nobody`,
	{skip: !isInstalled(agent.program!) && !process.env['CI'] ? 'not installed: npm run agents:install' : false},
	async t => {
		const value = agentValues[id]!;
		const model = await ModelServer.open(t, value, [`printf '${plan}' > .fleet-plan.yaml`]);
		const {fleet, context} = await openWorld(t, model.port, agent.model!.binding.hosts, {
			policy: 'verify: ["false"]\n',
			autoVerify: true,
		});
		const added = fleet.run(['secret', 'add', agent.model!.secret, '--user'], {input: `${value}\n`});
		assert.equal(added.code, 0, added.stderr);
		const {id: run} = await createRun(context, {
			project: await findProject(context, undefined, fleet.project),
			agent: id,
			argv: [],
			prompt: planPrompt('a command for the new format', [id]),
			name: 'proposes',
			allow: [`model:${id}`],
			because: 'the test',
			plan: true,
		});
		await startSupervisor(context, run);
		const shown = () => fleet.json('plan', 'show', run);
		await until(() => ['proposed', 'refused'].includes(shown()['state']), 'the plan is read', 120_000);
		const told = `${fleet.must('logs', run)}\n${model.faults.join('; ')}`;
		const found = shown();
		assert.equal(found['state'], 'proposed', `${found['problem']}\n${told}`);
		assert.deepEqual(
			found['tasks'].map((task: Record<string, unknown>) => [task['id'], task['agent'], task['after'], task['state']]),
			[
				['parser', null, [], 'proposed'],
				['command', id, ['parser'], 'proposed'],
			],
		);
		assert.ok(
			model.prompts.some(prompt => prompt.includes('.fleet-plan.yaml')),
			told,
		);
		assert.equal(fleet.json<unknown[]>('list', '--all').length, 1, 'nothing else was started');
		assert.deepEqual(
			fleet.json<Array<{type: string}>>('journal', run).filter(({type}) => type.startsWith('verify.')),
			[],
			'a plan is not verified',
		);
		assert.deepEqual(model.faults, [], told);
	},
);
