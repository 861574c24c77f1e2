import assert from 'node:assert/strict';
import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {agents} from '../../source/agents/registry.ts';
import {holdsValue} from '../../source/core/secrets/redact.ts';
import {createRun} from '../../source/engine/run/create.ts';
import {resumeRun} from '../../source/engine/run/resume.ts';
import {startSupervisor} from '../../source/engine/run/start-supervisor.ts';
import {findProject} from '../../source/engine/project/projects.ts';
import {agentsFolder, isInstalled, openWorld} from './agents.ts';
import {until, type Fleet} from './fleet.ts';
import {everything, serversFolder} from './mcp.ts';
import {ModelServer} from './model-server.ts';

/* A real agent in a real run, against a model that answers to the real credential alone. */

/** Credentials in the form of the real ones, by agent. */
export const agentValues: Readonly<Record<string, string>> = {
	'claude-code': `sk-ant-api03-${'Real7Key9Of2Anthropic4Qz'.repeat(4).slice(0, 93)}AA`,
	codex: 'sk-proj-Real7Key9Of2Openai4QzWx8Lm3Vn6Bt1Kp5Rd0',
	gemini: 'AIzaReal7Key9Of2Google4QzWx8Lm3Vn6Bt1Kp',
	opencode: `sk-ant-api03-${'Real3Key8Of1Opencode6Wy'.repeat(5).slice(0, 93)}AA`,
	copilot: `github_pat_11${'REAL7KEY9OF2GITHUB4Q'}_${'Real7Key9Of2Github4QzWx8Lm3Vn6Bt1Kp5Rd0Sf2Gh4Jk6Mn8Pq1Tv3Yx5'.slice(0, 59)}`,
};

/** How long an agent may take for a task where the machine is busy, milliseconds: some start for a minute then. */
const patience = 300_000;

/** The agents that are shown to call a tool of a server outside. */
const usesServers: ReadonlySet<string> = new Set(['claude-code', 'gemini', 'codex', 'copilot']);

/**
 * Every file of the run's that the credential could be in:
 * HOME, output, journal, configuration, whatever else is kept.
 */
function keptFiles(fleet: Fleet): string[] {
	return readdirSync(fleet.env['FLEET_HOME']!, {recursive: true, withFileTypes: true})
		.filter(entry => entry.isFile())
		.map(entry => path.join(entry.parentPath, entry.name));
}

/** The environment of every process of this user that names the run: the supervisor's, and of all that it started. */
function environments(name: string): string[] {
	return readdirSync('/proc')
		.filter(id => /^\d+$/.test(id) && Number(id) !== process.pid)
		.flatMap(id => {
			try {
				const text = readFileSync(`/proc/${id}/environ`, 'latin1') + readFileSync(`/proc/${id}/cmdline`, 'latin1');
				return text.includes(name) ? [text] : [];
			} catch {
				return [];
			}
		});
}

async function drive(t: TestContext, id: string): Promise<void> {
	const agent = agents.find(agent => agent.id === id)!;
	const value = agentValues[id]!;
	const name = `real-${id}`;
	const model = await ModelServer.open(t, value, [
		'cat a.txt; echo two >> a.txt; sleep 1',
		'sh test.sh && git add -A && git -c user.name=Agent -c user.email=agent@example.invalid ' +
			'commit -qm "Add two" && echo committed',
		...(usesServers.has(id) ? [{tool: 'echo', input: {message: 'from outside'}}] : []),
	]);
	const {fleet, context} = await openWorld(t, model.port, agent.model!.binding.hosts, {
		policy: 'verify:\n  - sh test.sh\n',
		files: {'test.sh': 'grep -q two a.txt && echo "tests passed"\n'},
	});
	const added = fleet.run(['secret', 'add', agent.model!.secret, '--user'], {input: `${value}\n`});
	assert.equal(added.code, 0, added.stderr);
	fleet.must('mcp', 'add', 'every', '--files', serversFolder, '--tool', 'echo', '--', ...everything);
	const made = await createRun(context, {
		project: await findProject(context, undefined, fleet.project),
		agent: id,
		argv: [],
		prompt: 'Add a line to a.txt that makes the tests pass, run them, and commit.',
		name,
		allow: [`model:${id}`, ...(usesServers.has(id) ? ['mcp:every'] : [])],
		because: 'the test',
	});
	await startSupervisor(context, made.id);
	const seen: string[] = [];
	try {
		await until(
			() => {
				seen.push(...environments(name));
				return fleet.stage(name) === 'stopped';
			},
			`${id} finishes`,
			patience,
		);
	} catch (error) {
		throw new Error(
			`${(error as Error).message}\n${fleet.must('logs', name)}\n${fleet.must('journal', name)}\n` +
				`${model.answered.join('\n')}\n${model.faults.join('\n')}`,
		);
	}

	const told =
		`${fleet.must('logs', name)}\n${fleet.must('journal', name)}\n` +
		`answered: ${[...new Set(model.answered)].join(', ')}\nfaults: ${model.faults.join('; ')}`;
	assert.deepEqual(model.faults, [], told);
	assert.ok(
		model.prompts.some(prompt => prompt.includes('Add a line to a.txt')),
		told,
	);
	assert.ok(
		model.results.some(result => result.includes('tests passed')),
		`the tests ran inside: ${model.results.join('\n')}\n${told}`,
	);
	assert.ok(
		!usesServers.has(id) || model.results.some(result => result.includes('Echo: from outside')),
		`a tool of a server outside was called: ${[...model.tools].join(' ')}\n${model.results.join('\n')}\n${told}`,
	);
	assert.equal(/echo of mcp:every, answered in/.test(told), usesServers.has(id), told);
	const run = fleet.json('show', name);
	assert.equal(run['exit'].code, 0, told);
	assert.equal(run['status'].state, 'done', told);
	assert.equal(run['alarms'], 0, told);
	assert.ok(run['conversation'], `the conversation is known by its id\n${told}`);
	assert.ok(
		run['usage'].requests >= 3 && run['usage'].input > 0 && run['usage'].output > 0,
		JSON.stringify(run['usage']),
	);
	assert.match(fleet.must('logs', name), /▸ .*a\.txt/, 'the log is readable');
	assert.match(
		fleet.must('logs', name, '--full'),
		/committed/,
		'all that its tools gave back is there, and not its first line alone',
	);

	const verified = fleet.run(['verify', name]);
	assert.equal(verified.code, 0, verified.stdout + verified.stderr);
	assert.equal(fleet.git('show', `${run['branch']}:a.txt`), 'one\ntwo');

	// The credential is nowhere, in any spelling that is known; and what is searched was there to be searched.
	assert.ok(
		seen.length > 2 && seen.some(text => text.includes('FLEET_RUN')),
		'environments of processes inside were read',
	);
	for (const text of seen) {
		assert.ok(!holdsValue([value], text.replaceAll('\0', '\n')), 'no process held it');
	}

	const files = keptFiles(fleet);
	assert.ok(
		files.some(file => file.includes('/home/')) && files.some(file => file.endsWith('output.jsonl')),
		'HOME and output were searched',
	);
	assert.deepEqual(
		files.filter(file => holdsValue([value], readFileSync(file, 'latin1'))),
		[],
	);
	for (const body of model.bodies) {
		assert.ok(!holdsValue([value], body), 'no prompt held it');
	}

	assert.ok(!holdsValue([value], fleet.git('log', '-p', '--all')));
	assert.ok(!holdsValue([value], fleet.must('diff', name) + fleet.must('journal', name) + fleet.must('show', name)));

	// Comments are sent back into the same conversation.
	const requests = model.answered.length;
	await resumeRun(context, name, {prompt: 'Thank you. Say that you are done.'});
	await until(() => fleet.stage(name) === 'stopped', `${id} answers`, patience);
	const again = `${fleet.must('logs', name)}\n${model.faults.join('; ')}`;
	assert.deepEqual(model.faults, [], again);
	assert.ok(model.answered.length > requests, again);
	assert.ok(
		model.prompts.some(prompt => prompt.includes('Add a line to a.txt') && prompt.includes('Thank you.')),
		`the conversation went on\n${again}`,
	);
	assert.deepEqual(
		keptFiles(fleet).filter(file => holdsValue([value], readFileSync(file, 'latin1'))),
		[],
	);
}

/** The whole way of one agent, as a test; left out where it is not installed, but never in CI. */
export function testAgent(id: string): void {
	const agent = agents.find(agent => agent.id === id)!;
	const leaveOut = !isInstalled(agent.program!) && !process.env['CI'];
	test(
		`${agent.title}: a whole task on a pointer`,
		{skip: leaveOut ? `not installed: npm run agents:install (${agentsFolder})` : false},
		async t => {
			assert.ok(isInstalled(agent.program!), `${agent.program} is not in ${agentsFolder}: npm run agents:install`);
			await drive(t, id);
		},
	);
}
