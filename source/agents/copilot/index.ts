import {failureWords, parseLine, resultLine, toolLine} from '../../core/text/agent-lines.ts';
import {jsonSettings} from '../../core/profile-settings.ts';
import type {Agent, AgentNews} from '../../core/seams.ts';
import type {Binding} from '../../core/secrets/secret.ts';
import {copilotLogin} from './login.ts';

/** Where its token goes. */
const binding: Binding = {
	class: 'model',
	hosts: [
		'api.github.com',
		'api.githubcopilot.com',
		'api.individual.githubcopilot.com',
		'api.business.githubcopilot.com',
		'api.enterprise.githubcopilot.com',
	],
	headers: ['authorization'],
	methods: ['GET', 'POST'],
	paths: [
		'/copilot_internal/*',
		'/models',
		'/models/*',
		'/chat/completions',
		'/responses',
		'/v1/messages',
		'/agents/*',
	],
	environment: 'COPILOT_GITHUB_TOKEN',
};

/** GitHub Copilot CLI, with a fine-grained token. Its own questions and its built-in servers are off. */
export const copilot: Agent = {
	id: 'copilot',
	title: 'GitHub Copilot CLI',
	program: 'copilot',
	model: {
		secret: 'github-copilot',
		binding,
		login: copilotLogin(binding),
		made: 'a fine-grained token with the permission Copilot Requests, made at https://github.com/settings/personal-access-tokens/new',
		// Paid by the month, whatever model answers.
		prices: [],
	},
	instructions: ['copilot-instructions.md', '.copilot/'],
	logins: {
		paths: ['.copilot', '.config/github-copilot/hosts.json', '.config/github-copilot/apps.json'],
		variables: ['COPILOT_HOME'],
	},
	profile: {
		moved: [{folder: '.copilot', variable: 'COPILOT_HOME'}],
		places: [
			{path: '.copilot/copilot-instructions.md', kind: 'instructions'},
			{path: '.copilot/instructions/', kind: 'instructions', names: /\.md$/},
			{path: '.copilot/agents/', kind: 'subagent', names: /\.md$/},
			{path: '.copilot/skills/', kind: 'skill'},
			{path: '.agents/skills/', kind: 'skill'},
		],
		settings: jsonSettings(
			{paths: ['.copilot/settings.json', '.copilot/config.json'], target: '.copilot/settings.json'},
			{
				model: 'word',
				effortLevel: 'word',
				contextTier: 'word',
				theme: 'word',
				beep: 'flag',
				compactPaste: 'flag',
				mouse: 'flag',
				renderMarkdown: 'flag',
				screenReader: 'flag',
				scrollbar: 'flag',
				respectGitignore: 'flag',
				showTipsOnStartup: 'flag',
				stream: 'flag',
				updateTerminalTitle: 'flag',
			},
		),
		never: [
			{path: '.copilot/config.json', because: 'a login, and folders that are trusted'},
			{path: '.copilot/mcp-config.json', because: 'MCP servers'},
			{path: '.copilot/permissions-config.json', because: 'permissions: the sandbox is what holds it'},
			{path: '.copilot/hooks', because: 'hooks are programs of the host'},
			{path: '.copilot/session-state', because: 'history'},
			{path: '.copilot/history-session-state', because: 'history'},
			{path: '.copilot/logs', because: 'history'},
		],
	},
	start({prompt, argv, cwd, home, program, interactive, conversation, uuid, servers}) {
		const earlier = conversation?.id === undefined ? ['--continue'] : ['--resume', conversation.id];
		const talk = conversation ? earlier : ['--session-id', uuid];
		// In one word with its flag: a prompt that begins with a dash is no flag.
		const asked = prompt === undefined ? [] : [`${interactive ? '--interactive' : '--prompt'}=${prompt}`];
		return {
			argv: [
				program!,
				...(interactive ? [] : ['--output-format', 'json']),
				'--allow-all-tools',
				'--allow-all-paths',
				'--disable-builtin-mcps',
				'--disable-client-telemetry',
				...talk,
				...argv,
				...asked,
			],
			cwd,
			env: {COPILOT_HOME: `${home}/.copilot`, COPILOT_AUTO_UPDATE: 'false'},
			conversation: conversation ? conversation.id : uuid,
			files: {
				'.copilot/mcp-config.json': JSON.stringify({
					mcpServers: Object.fromEntries(servers.map(({name, url}) => [name, {type: 'http', url, tools: ['*']}])),
				}),
				'.copilot/config.json': JSON.stringify({
					trusted_folders: [cwd],
					banner: 'never',
					auto_update: false,
					store_token_plaintext: false,
				}),
			},
		};
	},
	read(line, length): AgentNews {
		const event = parseLine(line);
		const data = (event?.['data'] ?? {}) as Record<string, any>;
		switch (event?.['type']) {
			case 'session.start': {
				return {conversation: data['sessionId'], status: {state: 'working', because: 'started'}};
			}

			case 'assistant.turn_start': {
				return {status: {state: 'working', because: 'thinking'}};
			}

			case 'assistant.message': {
				return {text: String(data['content'] ?? '') === '' ? undefined : String(data['content'])};
			}

			case 'tool.execution_start': {
				const words = toolLine(data['toolName'], data['arguments']);
				return {
					text: toolLine(data['toolName'], data['arguments'], length),
					status: {state: 'working', because: words.slice(2)},
				};
			}

			case 'tool.execution_complete': {
				return {text: resultLine(data['result']?.content ?? data['error'], data['success'] === false, length)};
			}

			case 'session.error': {
				const because = failureWords(data, 'error');
				return {text: `✘ ${because}`, status: {state: 'failed', because}};
			}

			case 'result': {
				return {
					conversation: event['sessionId'],
					status:
						event['exitCode'] === 0
							? {state: 'done', because: 'finished'}
							: {state: 'failed', because: `exit code ${event['exitCode']}`},
				};
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
