import assert from 'node:assert/strict';
import {test} from 'node:test';
import {agents} from '../../source/agents/registry.ts';
import {Refusal} from '../../source/core/refusal.ts';
import {makeBinding} from '../../source/core/secrets/secret.ts';
import type {Agent, AgentTask} from '../../source/core/seams.ts';

/* What every adapter promises; see core/seams.ts. */

const pointer = 'sk-ant-api03-POINTERpointerPOINTER0123456789';
const task: AgentTask = {
	prompt: 'do it',
	argv: [],
	cwd: '/w',
	home: '/home/agent',
	program: '/run/fleet/agent/x',
	interactive: false,
	conversation: undefined,
	pointer,
	uuid: '6f1d2c3b-0000-4000-8000-000000000001',
	servers: [],
};

/** How an adapter breaks its promise; empty where it keeps it. */
function breaches(agent: Agent): string[] {
	const found: string[] = [];
	const own: AgentTask = {
		...task,
		argv: agent.program === undefined ? ['prog', '{prompt}'] : [],
		program: agent.program === undefined ? undefined : task.program,
	};
	for (const interactive of [false, true]) {
		for (const conversation of [undefined, {id: 'conv-1'}, {id: undefined}]) {
			for (const prompt of ['do it', '--dangerous-flag', '-x', '$(touch /tmp/x); `y` "z"\n{prompt} %s', undefined]) {
				const start = agent.start({...own, interactive, conversation, prompt});
				if (start instanceof Refusal) {
					found.push(`it refuses ${JSON.stringify(prompt)}`);
					continue;
				}

				if (JSON.stringify(start) !== JSON.stringify(agent.start({...own, interactive, conversation, prompt}))) {
					found.push('it is not pure');
				}

				if (
					prompt !== undefined &&
					start.argv.includes(prompt) &&
					prompt.startsWith('-') &&
					agent.program !== undefined &&
					start.argv.indexOf('--') === -1
				) {
					found.push('a prompt could be a flag');
				}

				const told =
					prompt === undefined ||
					(interactive && agent.id === 'aider') ||
					start.argv.some(argument => argument.endsWith(prompt)) ||
					start.env['FLEET_PROMPT'] === prompt;
				if (!told) {
					found.push(`the prompt ${JSON.stringify(prompt)} does not arrive (interactive: ${interactive})`);
				}

				if (start.argv.join(' ').includes(pointer)) {
					found.push('a pointer is in the command line, where every process of the machine reads it');
				}

				if (Object.keys(start.files ?? {}).some(name => name.startsWith('/') || name.split('/').includes('..'))) {
					found.push('a file is outside of HOME');
				}

				if (conversation?.id && agent.id !== 'aider' && agent.program !== undefined && !start.argv.includes('conv-1')) {
					found.push('a conversation is not gone on with');
				}
			}
		}
	}

	for (const line of [
		'',
		'plain',
		'{',
		'{}',
		'[]',
		'null',
		'{"type":null}',
		'{"type":"assistant"}',
		'{"type":"assistant","message":{"content":[null]}}',
		'{"type":"user","message":{"content":"x"}}',
		'{"type":"item.completed","item":{"type":"command_execution"}}',
		'{"type":"tool_use","part":{"state":5}}',
		'{"type":"result"}',
		'{"type":"error","error":{"data":{"message":"m"}}}',
		'{"type":"tool.execution_start"}',
		'\u001B[2J',
		`{"type":"text","part":{"text":"${'x'.repeat(100_000)}"}}`,
	]) {
		try {
			agent.read?.(line);
		} catch (error) {
			found.push(`it throws at ${line.slice(0, 60)}: ${(error as Error).message}`);
		}
	}

	try {
		if (agent.read && agent.read('not structured').text !== 'not structured') {
			found.push('what is not structured is not shown');
		}
	} catch {
		// That it throws at a line which is not structured was found above.
	}

	if (agent.model && makeBinding(agent.model.binding) instanceof Refusal) {
		found.push('its binding is none');
	}

	if (
		agent.model &&
		(agent.model.binding.class !== 'model' ||
			agent.model.binding.paths.length === 0 ||
			agent.model.binding.methods.length === 0)
	) {
		found.push('its model opens more than it needs');
	}

	if (agent.model && !agent.logins) {
		found.push('it does not say where it keeps a login');
	}

	if (agent.logins?.paths.some(name => name.startsWith('/') || name.split('/').includes('..'))) {
		found.push('a login is outside of HOME');
	}

	if (agent.instructions.some(place => place === '' || place.slice(0, -1).includes('/'))) {
		found.push('a place of its instructions is no name');
	}

	return found;
}

for (const agent of agents) {
	test(`${agent.title} keeps the contract`, () => {
		assert.deepEqual([...new Set(breaches(agent))], []);
	});
}

test('the suite notices careless adapters', () => {
	const [honest] = agents;
	const start =
		(change: (value: Exclude<ReturnType<Agent['start']>, Refusal>, task: AgentTask) => object): Agent['start'] =>
		task => {
			const value = honest!.start(task);
			return value instanceof Refusal ? value : {...value, ...change(value, task)};
		};

	const careless: Array<Partial<Agent>> = [
		{start: start(value => ({argv: [...value.argv, pointer]}))},
		{start: start(value => ({argv: value.argv.filter(argument => argument !== '--')}))},
		{start: start(() => ({files: {'../../etc/passwd': ''}}))},
		{start: start(() => ({argv: ['x']}))},
		{start: () => new Refusal('a', 'b')},
		{read: line => ({text: (JSON.parse(line) as {type: string}).type})},
		{read: () => ({})},
		{start: start(value => ({env: {...value.env, NOW: String(Math.random())}}))},
		{model: {...honest!.model!, binding: {...honest!.model!.binding, paths: []}}},
		{logins: undefined},
		{instructions: ['a/b.md']},
		{logins: {paths: ['../x'], variables: []}},
	];
	for (const [index, change] of careless.entries()) {
		assert.notDeepEqual(breaches({...honest!, ...change}), [], String(index));
	}
});

test('the readers say what real lines mean', () => {
	const read = (id: string, line: unknown) => agents.find(agent => agent.id === id)!.read!(JSON.stringify(line));
	assert.deepEqual(
		read('claude-code', {type: 'result', subtype: 'success', is_error: false, result: 'All done.', session_id: 's'}),
		{text: undefined, conversation: 's', status: {state: 'done', because: 'All done.'}},
	);
	assert.equal(
		read('claude-code', {type: 'result', subtype: 'error_max_turns', is_error: true}).status?.state,
		'failed',
	);
	assert.equal(
		read('claude-code', {
			type: 'assistant',
			message: {content: [{type: 'tool_use', name: 'Bash', input: {command: 'npm test'}}]},
		}).status?.because,
		'Bash npm test',
	);
	assert.equal(read('codex', {type: 'turn.failed', error: {message: 'no credit'}}).status?.because, 'no credit');
	assert.equal(read('codex', {type: 'item.completed', item: {type: 'agent_message', text: 'hello'}}).text, 'hello');
	assert.equal(read('gemini', {type: 'result', status: 'error', error: {message: 'quota'}}).status?.because, 'quota');
	assert.equal(
		read('opencode', {
			type: 'tool_use',
			part: {tool: 'bash', state: {input: {command: 'ls'}, output: 'a\nb', status: 'completed'}},
		}).text,
		'▸ bash ls\n  a (+1 lines)',
	);
	assert.equal(read('copilot', {type: 'result', exitCode: 1}).status?.state, 'failed');
});
