import {failureWords, parseLine, resultLine, toolLine} from '../../core/text/agent-lines.ts';
import {tomlSettings} from '../../core/profile-settings.ts';
import type {Agent, AgentNews} from '../../core/seams.ts';
import {openai} from '../vendors.ts';
import {codexCredentials, codexLogin} from './login.ts';

/**
 * What asks other hosts than the model's for things that a run does
 * not need, or hides what is asked: refused anyway, so not tried.
 */
const off = [
	'api_key_model_discovery',
	'apps',
	'plugins',
	'remote_plugin',
	'enable_request_compression',
	'unbounded_connection_retries',
];

/** Codex. Its own sandbox is off: it would be a second one inside the run's, and needs what that one does not give. */
export const codex: Agent = {
	id: 'codex',
	title: 'Codex',
	program: 'codex',
	model: {...openai, login: codexLogin},
	instructions: ['.codex/'],
	logins: {paths: ['.codex/auth.json'], variables: ['CODEX_HOME']},
	profile: {
		moved: [{folder: '.codex', variable: 'CODEX_HOME'}],
		places: [
			{path: '.codex/AGENTS.md', kind: 'instructions'},
			{path: '.codex/AGENTS.override.md', kind: 'instructions'},
			{path: '.codex/prompts/', kind: 'command', names: /\.md$/},
			{path: '.codex/skills/', kind: 'skill'},
			{path: '.agents/skills/', kind: 'skill'},
		],
		settings: tomlSettings(
			{paths: ['.codex/config.toml'], target: '.codex/config.toml'},
			{
				model: 'word',
				model_reasoning_effort: 'word',
				plan_mode_reasoning_effort: 'word',
				model_reasoning_summary: 'word',
				model_verbosity: 'word',
				personality: 'word',
				hide_agent_reasoning: 'flag',
				show_raw_agent_reasoning: 'flag',
			},
		),
		never: [
			{path: '.codex/auth.json', because: 'a login'},
			{path: '.codex/history.jsonl', because: 'history'},
			{path: '.codex/sessions', because: 'history'},
			{path: '.codex/hooks.json', because: 'hooks are programs of the host'},
			{path: '.codex/rules', because: 'permissions: the sandbox is what holds it'},
			{path: '.codex/agents', because: 'its files may hold any setting, servers and permissions too'},
		],
	},
	start({prompt, argv, cwd, home, program, interactive, conversation, pointer, login, servers}) {
		const talk = conversation ? ['resume', conversation.id ?? '--last'] : [];
		const loose = ['--dangerously-bypass-approvals-and-sandbox'];
		return {
			argv: interactive
				? [program!, ...talk, ...loose, ...argv, ...(prompt === undefined ? [] : ['--', prompt])]
				: [program!, 'exec', ...loose, '--json', '--skip-git-repo-check', ...talk, ...argv, '--', prompt ?? 'go on'],
			cwd,
			env: {
				CODEX_HOME: `${home}/.codex`,
				...(pointer === undefined || login ? {} : {CODEX_API_KEY: pointer}),
				CODEX_CA_CERTIFICATE: '/run/fleet/trust/bundle.pem',
			},
			files: {
				'.codex/config.toml':
					'approval_policy = "never"\nsandbox_mode = "danger-full-access"\ncheck_for_update_on_startup = false\n' +
					'cli_auth_credentials_store = "file"\n\n' +
					`[features]\n${off.map(name => `${name} = false\n`).join('')}\n` +
					'[analytics]\nenabled = false\n\n[otel]\nmetrics_exporter = "none"\n\n' +
					`[projects.${JSON.stringify(cwd)}]\ntrust_level = "trusted"\n` +
					servers
						.map(({name, url}) => `\n[mcp_servers.${JSON.stringify(name)}]\nurl = ${JSON.stringify(url)}\n`)
						.join(''),
				...(pointer === undefined
					? {}
					: {
							'.codex/auth.json': login
								? codexCredentials(pointer, login.account)
								: JSON.stringify({auth_mode: 'apikey', OPENAI_API_KEY: pointer}),
						}),
			},
		};
	},
	read(line, length): AgentNews {
		const event = parseLine(line);
		const item = (event?.['item'] ?? {}) as Record<string, any>;
		switch (event?.['type']) {
			case 'thread.started': {
				return {
					text: `conversation ${event['thread_id']}`,
					conversation: event['thread_id'],
					status: {state: 'working', because: 'started'},
				};
			}

			case 'item.started': {
				return item['type'] === 'command_execution'
					? {
							text: toolLine('shell', item, length),
							status: {state: 'working', because: toolLine('shell', item).slice(2)},
						}
					: {};
			}

			case 'item.completed': {
				if (item['type'] === 'command_execution') {
					return {
						text: resultLine(
							item['aggregated_output'],
							item['exit_code'] !== 0 && item['exit_code'] !== undefined,
							length,
						),
					};
				}

				if (item['type'] === 'file_change') {
					const files = (Array.isArray(item['changes']) ? item['changes'] : [])
						.map((change: {path?: string}) => change.path)
						.join(', ');
					return {text: toolLine('edit', {path: files})};
				}

				if (item['type'] === 'agent_message') {
					return {text: String(item['text'] ?? '')};
				}

				return item['type'] === 'error' ? {text: `✘ ${failureWords(item, 'error')}`} : {};
			}

			case 'turn.completed': {
				return {status: {state: 'done', because: 'finished'}};
			}

			case 'turn.failed':
			case 'error': {
				const because = failureWords(event['error'] ?? event['message'], 'the turn failed');
				return {
					text: `✘ ${because}`,
					...(event['type'] === 'error' ? {} : {status: {state: 'failed' as const, because}}),
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
