import {failureWords, parseLine, resultLine, toolLine} from '../../core/text/agent-lines.ts';
import type {Agent, AgentNews} from '../../core/seams.ts';
import {google} from '../vendors.ts';

/** Gemini CLI, with an API key. Its own confirmations and its own sandbox are off. */
export const gemini: Agent = {
	id: 'gemini',
	title: 'Gemini CLI',
	program: 'gemini',
	model: google,
	instructions: ['GEMINI.md', '.gemini/'],
	logins: {paths: ['.gemini/oauth_creds.json', '.gemini/.env'], variables: ['GEMINI_CONFIG_DIR']},
	start({prompt, argv, cwd, program, interactive, conversation, uuid, servers}) {
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
			env: {GEMINI_CLI_TRUST_WORKSPACE: 'true', GEMINI_TELEMETRY_ENABLED: 'false', GEMINI_SANDBOX: 'false'},
			conversation: conversation ? conversation.id : uuid,
			files: {
				'.gemini/settings.json': JSON.stringify({
					general: {enableAutoUpdate: false, enableAutoUpdateNotification: false},
					privacy: {usageStatisticsEnabled: false},
					telemetry: {enabled: false},
					security: {auth: {selectedType: 'gemini-api-key'}, folderTrust: {enabled: false}},
					ide: {hasSeenNudge: true},
					mcpServers: Object.fromEntries(servers.map(({name, url}) => [name, {httpUrl: url, trust: true}])),
				}),
			},
		};
	},
	read(line): AgentNews {
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
				return {text: words, status: {state: 'working', because: words.slice(2)}};
			}

			case 'tool_result': {
				return {text: resultLine(event['output'] ?? event['error'], event['status'] === 'error')};
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
