import {failureWords, parseLine, resultLine, toolLine} from '../../core/text/agent-lines.ts';
import {jsonSettings} from '../../core/profile-settings.ts';
import type {Agent, AgentNews} from '../../core/seams.ts';
import {google} from '../vendors.ts';
import {geminiLogin} from './login.ts';

/** Gemini CLI, with an API key or a Google account. Its own confirmations and its own sandbox are off. */
export const gemini: Agent = {
	id: 'gemini',
	title: 'Gemini CLI',
	program: 'gemini',
	model: {...google, login: geminiLogin},
	instructions: ['GEMINI.md', '.gemini/'],
	logins: {paths: ['.gemini/oauth_creds.json', '.gemini/.env'], variables: ['GEMINI_CONFIG_DIR']},
	profile: {
		moved: [],
		places: [
			{path: '.gemini/GEMINI.md', kind: 'instructions'},
			{path: '.gemini/AGENTS.md', kind: 'instructions'},
			{path: '.gemini/commands/', kind: 'command', names: /\.toml$/},
			{path: '.gemini/skills/', kind: 'skill'},
			{path: '.gemini/agents/', kind: 'subagent', names: /\.md$/},
			{path: '.agents/skills/', kind: 'skill'},
		],
		settings: jsonSettings(
			{paths: ['.gemini/settings.json'], target: '.gemini/settings.json'},
			{
				general: {vimMode: 'flag'},
				ui: {
					theme: 'word',
					hideBanner: 'flag',
					hideTips: 'flag',
					hideFooter: 'flag',
					hideContextSummary: 'flag',
					showLineNumbers: 'flag',
					showMemoryUsage: 'flag',
					accessibility: {screenReader: 'flag'},
				},
				model: {name: 'word', maxSessionTurns: 'number', compressionThreshold: 'number'},
				context: {fileName: 'names'},
			},
		),
		never: [
			{path: '.gemini/oauth_creds.json', because: 'a login'},
			{path: '.gemini/google_accounts.json', because: 'a login'},
			{path: '.gemini/.env', because: 'variables, and keys among them'},
			{path: '.gemini/extensions', because: 'extensions bring hooks and servers'},
			{path: '.gemini/policies', because: 'permissions: the sandbox is what holds it'},
			{path: '.gemini/tmp', because: 'history'},
			{path: '.gemini/history', because: 'history'},
		],
	},
	start({prompt, argv, cwd, program, interactive, conversation, pointer, login, uuid, servers}) {
		const talk = conversation ? ['--resume', conversation.id ?? 'latest'] : ['--session-id', uuid];
		// In one word with its flag: a prompt that begins with a dash is no flag.
		const asked = prompt === undefined ? [] : [`${interactive ? '--prompt-interactive' : '--prompt'}=${prompt}`];
		return {
			argv: [
				program!,
				...(interactive ? [] : ['--output-format', 'stream-json']),
				'--approval-mode',
				'yolo',
				'--skip-trust',
				...talk,
				...argv,
				...asked,
			],
			cwd,
			env: {
				GEMINI_CLI_TRUST_WORKSPACE: 'true',
				GEMINI_TELEMETRY_ENABLED: 'false',
				GEMINI_SANDBOX: 'false',
				// A login without a file: what it reads from one it would first ask Google about.
				...(login && pointer !== undefined ? {GOOGLE_GENAI_USE_GCA: 'true', GOOGLE_CLOUD_ACCESS_TOKEN: pointer} : {}),
			},
			conversation: conversation ? conversation.id : uuid,
			files: {
				'.gemini/settings.json': JSON.stringify({
					general: {enableAutoUpdate: false, enableAutoUpdateNotification: false},
					privacy: {usageStatisticsEnabled: false},
					telemetry: {enabled: false},
					security: {auth: {selectedType: login ? 'oauth-personal' : 'gemini-api-key'}, folderTrust: {enabled: false}},
					ide: {hasSeenNudge: true},
					mcpServers: Object.fromEntries(servers.map(({name, url}) => [name, {httpUrl: url, trust: true}])),
				}),
			},
		};
	},
	read(line, length): AgentNews {
		const event = parseLine(line);
		switch (event?.['type']) {
			case 'init': {
				return {
					text: `${event['model'] ?? 'model'}, conversation ${event['session_id']}`,
					conversation: event['session_id'],
					status: {state: 'working', because: 'started'},
				};
			}

			case 'message': {
				return event['role'] === 'assistant'
					? {text: String(event['content'] ?? ''), status: {state: 'working', because: 'thinking'}}
					: {};
			}

			case 'tool_use': {
				const words = toolLine(event['tool_name'], event['parameters']);
				return {
					text: toolLine(event['tool_name'], event['parameters'], length),
					status: {state: 'working', because: words.slice(2)},
				};
			}

			case 'tool_result': {
				return {text: resultLine(event['output'] ?? event['error'], event['status'] === 'error', length)};
			}

			case 'error': {
				return {text: `✘ ${failureWords(event, 'error')}`};
			}

			case 'result': {
				const failed = event['status'] !== 'success';
				return {
					text: failed ? `✘ ${failureWords(event['error'], 'failed')}` : undefined,
					status: failed
						? {state: 'failed', because: failureWords(event['error'], 'failed')}
						: {state: 'done', because: 'finished'},
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
