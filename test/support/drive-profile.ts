import assert from 'node:assert/strict';
import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {agents} from '../../source/agents/registry.ts';
import {createRun} from '../../source/engine/run/create.ts';
import {startSupervisor} from '../../source/engine/run/start-supervisor.ts';
import {findProject} from '../../source/engine/project/projects.ts';
import {agentsFolder, isInstalled, openWorld} from './agents.ts';
import {agentValues} from './drive-agent.ts';
import {until, type Fleet} from './fleet.ts';
import {ModelServer} from './model-server.ts';

/* A real agent with a person's profile: what it asks its model has the person's words in it. */

const skill = (name: string, word: string) =>
	`---\nname: ${name}\ndescription: ${word} for reviews of quuxes\n---\nBody of ${name}.\n`;

/** Files of a profile below HOME, and what of each the model has to be told. */
const profiles: Readonly<Record<string, Readonly<Record<string, string>>>> = {
	'claude-code': {
		'.claude/CLAUDE.md': 'Always say MARKINSTRUCTION.\n',
		'.claude/skills/quux/SKILL.md': skill('quux', 'MARKSKILL'),
		'.claude/commands/fixit.md': '---\ndescription: MARKCOMMAND\n---\nMARKCOMMANDBODY $ARGUMENTS\n',
		'.claude/agents/helper.md': '---\nname: helper\ndescription: MARKSUBAGENT\n---\nYou help.\n',
		'.claude/settings.json': JSON.stringify({
			model: 'claude-opus-4-8',
			apiKeyHelper: 'echo evil',
			hooks: {SessionStart: [{hooks: [{type: 'command', command: 'touch "$HOME/hooked"'}]}]},
			env: {ANTHROPIC_BASE_URL: 'http://127.0.0.1:9'},
		}),
	},
	codex: {
		'.codex/AGENTS.md': 'Always say MARKINSTRUCTION.\n',
		'.codex/skills/quux/SKILL.md': skill('quux', 'MARKSKILL'),
		'.codex/prompts/fixit.md': 'MARKCOMMANDBODY\n',
		'.codex/config.toml':
			'model = "gpt-5.1-codex"\nmodel_reasoning_effort = "high"\nnotify = ["sh", "-c", "touch $HOME/hooked"]\n' +
			'openai_base_url = "http://127.0.0.1:9"\n',
	},
	gemini: {
		'.gemini/GEMINI.md': 'Always say MARKINSTRUCTION.\n',
		'.gemini/skills/quux/SKILL.md': skill('quux', 'MARKSKILL'),
		'.gemini/commands/fixit.toml': 'description = "MARKCOMMAND"\nprompt = "MARKCOMMANDBODY {{args}}"\n',
		'.gemini/settings.json': JSON.stringify({
			model: {name: 'gemini-2.5-pro'},
			hooks: {SessionStart: [{hooks: [{type: 'command', command: 'touch "$HOME/hooked"'}]}]},
		}),
	},
	opencode: {
		'.config/opencode/AGENTS.md': 'Always say MARKINSTRUCTION.\n',
		'.config/opencode/skills/quux/SKILL.md': skill('quux', 'MARKSKILL'),
		'.config/opencode/commands/fixit.md': '---\ndescription: MARKCOMMAND\n---\nMARKCOMMANDBODY\n',
		'.config/opencode/agents/helper.md': '---\ndescription: MARKSUBAGENT\nmode: subagent\n---\nYou help.\n',
		'.config/opencode/opencode.json': '{"provider": {"anthropic": {"options": {"baseURL": "http://127.0.0.1:9"}}},}',
	},
	copilot: {
		'.copilot/copilot-instructions.md': 'Always say MARKINSTRUCTION.\n',
		'.copilot/skills/quux/SKILL.md': skill('quux', 'MARKSKILL'),
		'.copilot/agents/helper.agent.md': '---\nname: helper\ndescription: MARKSUBAGENT\n---\nYou help.\n',
		'.copilot/settings.json': JSON.stringify({
			theme: 'github',
			proxyUrl: 'http://127.0.0.1:9',
			hooks: {sessionStart: [{type: 'command', bash: 'touch "$HOME/hooked"'}]},
		}),
	},
};

/** What a request has to say, and what it may not, by agent. */
const words: Readonly<Record<string, readonly string[]>> = {
	'claude-code': ['MARKINSTRUCTION', 'MARKSKILL', 'MARKCOMMAND', 'MARKSUBAGENT', 'claude-opus-4-8'],
	codex: ['MARKINSTRUCTION', 'MARKSKILL', 'gpt-5.1-codex', '"effort":"high"'],
	gemini: ['MARKINSTRUCTION', 'MARKSKILL'],
	opencode: ['MARKINSTRUCTION', 'MARKSKILL', 'MARKSUBAGENT'],
	copilot: ['MARKINSTRUCTION', 'MARKSKILL', 'MARKSUBAGENT'],
};

function writeProfile(fleet: Fleet, id: string): void {
	for (const [name, text] of Object.entries(profiles[id]!)) {
		mkdirSync(path.dirname(path.join(fleet.home, name)), {recursive: true});
		writeFileSync(path.join(fleet.home, name), text);
	}
}

/** A person's profile of an agent, which that person said yes to. */
export function keepProfile(fleet: Fleet, id: string): void {
	writeProfile(fleet, id);
	fleet.must('profile', id, '--approve');
	for (const name of Object.keys(profiles[id]!)) {
		assert.ok(fleet.must('profile', id).includes(path.basename(name)), name);
	}
}

/** That the model was told what is in it, and that nothing of it was run. */
export function checkProfile(model: ModelServer, id: string, told: string): void {
	const asked = model.bodies.join('\n');
	for (const word of words[id]!) {
		assert.ok(asked.includes(word), `${word} is not in what ${id} asked\n${told}`);
	}

	assert.ok(model.results.length > 0 && !model.results.some(result => result.includes('hooked')), 'no hook ran');
}

async function drive(t: TestContext, id: string): Promise<void> {
	const agent = agents.find(one => one.id === id)!;
	const value = agentValues[id]!;
	const model = await ModelServer.open(t, value, ['ls -A "$HOME" | tr "\\n" " "']);
	const {fleet, context} = await openWorld(t, model.port, agent.model!.binding.hosts);
	const added = fleet.run(['secret', 'add', agent.model!.secret, '--user'], {input: `${value}\n`});
	assert.equal(added.code, 0, added.stderr);
	writeProfile(fleet, id);
	const go = async (name: string, prompt: string) => {
		model.bodies.length = 0;
		const made = await createRun(context, {
			project: await findProject(context, undefined, fleet.project),
			agent: id,
			argv: [],
			prompt,
			name,
			allow: [`model:${id}`],
			because: 'the test',
		});
		await startSupervisor(context, made.id);
		const tell = () =>
			`${fleet.must('logs', name)}\n${fleet.must('journal', name)}\n` +
			`answered: ${model.answered.join(', ')}\nfaults: ${model.faults.join('; ')}`;
		await until(() => fleet.stage(name) === 'stopped', `${id} finishes`, 400_000).catch((error: unknown) => {
			throw new Error(`${(error as Error).message}\n${tell()}`);
		});
		const told = tell();
		assert.deepEqual(model.faults, [], told);
		assert.equal(fleet.json('show', name)['exit'].code, 0, told);
		return {asked: model.bodies.join('\n'), told};
	};

	if (id === 'claude-code') {
		assert.doesNotMatch((await go('before', 'Look around.')).asked, /MARK/, 'nobody said yes');
	}

	keepProfile(fleet, id);
	const {told} = await go('after', 'Look around.');
	checkProfile(model, id, told);
	if (id === 'claude-code') {
		assert.match((await go('command', '/fixit now')).asked, /MARKCOMMANDBODY/);
	}
}

/** One agent with a profile, as a test; left out where it is not installed, but never in CI. */
export function testProfile(id: string): void {
	const agent = agents.find(one => one.id === id)!;
	const leaveOut = !isInstalled(agent.program!) && !process.env['CI'];
	test(
		`${agent.title}: its model is told what the person keeps for it`,
		{skip: leaveOut ? `not installed: npm run agents:install (${agentsFolder})` : false},
		async t => drive(t, id),
	);
}
