import {failureWords, parseLine, resultLine, toolLine} from '../../core/text/agent-lines.ts';
import {jsonSettings} from '../../core/profile-settings.ts';
import type {Agent, AgentNews} from '../../core/seams.ts';
import {anthropic} from '../vendors.ts';

/** opencode, on Anthropic's models. Its own questions are off; it fetches no list of models and no update. */
export const opencode: Agent = {
	id: 'opencode',
	title: 'opencode',
	program: 'opencode',
	model: anthropic,
	instructions: ['opencode.json', '.opencode/'],
	logins: {paths: ['.local/share/opencode/auth.json'], variables: []},
	profile: {
		moved: [{folder: '.config/opencode', variable: 'XDG_CONFIG_HOME', below: 'opencode'}],
		places: [
			{path: '.config/opencode/AGENTS.md', kind: 'instructions'},
			...['command', 'commands'].map(name => {
				return {path: `.config/opencode/${name}/`, kind: 'command', names: /\.md$/} as const;
			}),
			...['agent', 'agents'].map(name => {
				return {path: `.config/opencode/${name}/`, kind: 'subagent', names: /\.md$/} as const;
			}),
			...['skill', 'skills'].map(name => ({path: `.config/opencode/${name}/`, kind: 'skill'}) as const),
			{path: '.agents/skills/', kind: 'skill'},
		],
		settings: jsonSettings(
			{
				paths: ['.config/opencode/opencode.json', '.config/opencode/opencode.jsonc', '.config/opencode/config.json'],
				target: '.config/opencode/opencode.json',
			},
			{default_agent: 'word', theme: 'word', snapshot: 'flag'},
		),
		never: [
			{path: '.local/share/opencode/auth.json', because: 'a login'},
			{path: '.local/share/opencode/storage', because: 'history'},
			...['plugin', 'plugins'].map(name => {
				return {path: `.config/opencode/${name}`, because: 'plugins are programs of the host'};
			}),
			...['tool', 'tools'].map(name => {
				return {path: `.config/opencode/${name}`, because: 'tools are programs of the host'};
			}),
		],
	},
	start({prompt, argv, cwd, program, interactive, conversation, servers}) {
		const earlier = conversation?.id === undefined ? ['--continue'] : ['--session', conversation.id];
		const talk = conversation ? earlier : [];
		return {
			argv: interactive
				? [program!, ...talk, ...argv, ...(prompt === undefined ? [] : [`--prompt=${prompt}`])]
				: [program!, 'run', '--format', 'json', ...talk, ...argv, '--', prompt ?? 'go on'],
			cwd,
			env: {
				OPENCODE_DISABLE_AUTOUPDATE: '1',
				OPENCODE_DISABLE_MODELS_FETCH: '1',
				OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
				OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
				OPENCODE_DISABLE_SHARE: '1',
			},
			files: {
				'.config/opencode/opencode.json': JSON.stringify({
					$schema: 'https://opencode.ai/config.json',
					autoupdate: false,
					share: 'disabled',
					permission: {edit: 'allow', bash: 'allow', webfetch: 'allow', external_directory: 'allow'},
					mcp: Object.fromEntries(
						servers.map(({name, url}) => [name, {type: 'remote', url, enabled: true, oauth: false}]),
					),
					enabled_providers: ['anthropic'],
					model: 'anthropic/claude-sonnet-4-5',
					small_model: 'anthropic/claude-haiku-4-5',
					provider: {anthropic: {options: {apiKey: '{env:ANTHROPIC_API_KEY}'}}},
				}),
			},
		};
	},
	read(line, length): AgentNews {
		const event = parseLine(line);
		const part = (event?.['part'] ?? {}) as Record<string, any>;
		switch (event?.['type']) {
			case 'step_start': {
				return {conversation: event['sessionID'], status: {state: 'working', because: 'thinking'}};
			}

			case 'text': {
				return {text: String(part['text'] ?? ''), conversation: event['sessionID']};
			}

			case 'tool_use': {
				const state = (part['state'] ?? {}) as Record<string, any>;
				const words = toolLine(part['tool'], state['input']);
				return {
					text: `${toolLine(part['tool'], state['input'], length)}\n${resultLine(state['output'] ?? state['error'], state['status'] === 'error', length)}`,
					status: {state: 'working', because: words.slice(2)},
				};
			}

			case 'step_finish': {
				return part['reason'] === 'stop' ? {status: {state: 'done', because: 'finished'}} : {};
			}

			case 'error': {
				const because = failureWords(event['error'], 'error');
				return {text: `✘ ${because}`, status: {state: 'failed', because}};
			}

			case undefined: {
				return {text: line};
			}

			default: {
				return {};
			}
		}
	},
};
