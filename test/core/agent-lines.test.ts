import assert from 'node:assert/strict';
import {test} from 'node:test';
import {agents} from '../../source/agents/registry.ts';
import {resultLine, toolLine} from '../../source/core/text/agent-lines.ts';

test('a tool is told as one line each, or whole', () => {
	const output = `one\n\ntwo\n${'x'.repeat(500)}\n`;
	assert.equal(resultLine(output, false), '  one (+2 lines)');
	assert.equal(resultLine(output, true, 'whole'), `✘ one\n  \n  two\n  ${'x'.repeat(500)}`);
	assert.equal(resultLine(undefined, false, 'whole'), '  done');
	assert.equal(toolLine('Bash', {command: 'a\nb'}), '▸ Bash a b');
	assert.equal(toolLine('Bash', {command: 'a\nb'}, 'whole'), '▸ Bash a\n  b');
	assert.equal(toolLine('Edit', {}, 'whole'), '▸ Edit');
	assert.equal(
		toolLine('Odd', {lines: [1]}, 'whole'),
		`▸ Odd ${JSON.stringify({lines: [1]}, undefined, 1).replaceAll('\n', '\n  ')}`,
	);
});

test('every agent that tells its tools tells them whole, too', () => {
	const long = `first\n${'y'.repeat(400)}`;
	const lines: Readonly<Record<string, unknown>> = {
		'claude-code': {type: 'user', message: {content: [{type: 'tool_result', content: long}]}},
		codex: {type: 'item.completed', item: {type: 'command_execution', aggregated_output: long, exit_code: 0}},
		gemini: {type: 'tool_result', output: long, status: 'success'},
		copilot: {type: 'tool.execution_complete', data: {result: {content: long}, success: true}},
		opencode: {
			type: 'tool_use',
			part: {tool: 'bash', state: {input: {command: 'x'}, output: long, status: 'completed'}},
		},
	};
	for (const [id, line] of Object.entries(lines)) {
		const {read} = agents.find(agent => agent.id === id)!;
		const text = JSON.stringify(line);
		assert.doesNotMatch(read!(text).text!, /y{300}/, id);
		assert.match(read!(text, 'whole').text!, /first\n {2}y{400}$/, id);
	}
});
