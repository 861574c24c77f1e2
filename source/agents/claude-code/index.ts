import {failureWords, parseLine, resultLine, toolLine} from '../../core/text/agent-lines.ts';
import {jsonSettings} from '../../core/profile-settings.ts';
import type {Agent, AgentNews} from '../../core/seams.ts';
import {anthropic} from '../vendors.ts';
import {claudeCredentials, claudeLogin} from './login.ts';

function partsOf(event: Record<string, any>): Array<Record<string, any>> {
	const {content} = (event['message'] ?? {}) as {content?: unknown};
	return Array.isArray(content)
		? (content.filter(part => typeof part === 'object' && part !== null) as Array<Record<string, any>>)
		: [];
}

/** Claude Code. Its own permission prompts are off: the run's sandbox is what holds it. */
export const claudeCode: Agent = {
	id: 'claude-code',
	title: 'Claude Code',
	program: 'claude',
	model: {
		...anthropic,
		made: `the token of a subscription, which claude setup-token prints; or ${anthropic.made}`,
		login: claudeLogin,
	},
	instructions: ['CLAUDE.md', 'CLAUDE.local.md', '.claude/'],
	logins: {
		paths: ['.claude/.credentials.json', '.claude.json', '.cache/claude-cli-nodejs'],
		variables: ['CLAUDE_CONFIG_DIR'],
	},
	profile: {
		moved: [{folder: '.claude', variable: 'CLAUDE_CONFIG_DIR'}],
		places: [
			{path: '.claude/CLAUDE.md', kind: 'instructions'},
			{path: '.claude/rules/', kind: 'rules', names: /\.md$/},
			{path: '.claude/skills/', kind: 'skill'},
			{path: '.claude/commands/', kind: 'command', names: /\.md$/},
			{path: '.claude/agents/', kind: 'subagent', names: /\.md$/},
			{path: '.claude/output-styles/', kind: 'output style', names: /\.md$/},
		],
		settings: jsonSettings(
			{paths: ['.claude/settings.json'], target: '.claude/settings.json'},
			{
				model: 'word',
				outputStyle: 'word',
				language: 'word',
				alwaysThinkingEnabled: 'flag',
				effortLevel: 'word',
				autoCompactEnabled: 'flag',
				verbose: 'flag',
				respectGitignore: 'flag',
				spinnerTipsEnabled: 'flag',
				prefersReducedMotion: 'flag',
				showTurnDuration: 'flag',
				editorMode: 'word',
				syntaxHighlightingDisabled: 'flag',
			},
		),
		never: [
			{path: '.claude/.credentials.json', because: 'a login'},
			{path: '.claude.json', because: 'a login, MCP servers and history'},
			{path: '.claude/settings.local.json', because: 'settings of one machine'},
			{path: '.claude/hooks', because: 'hooks are programs of the host'},
			{path: '.claude/plugins', because: 'plugins bring hooks and servers'},
			{path: '.claude/projects', because: 'history'},
			{path: '.claude/history.jsonl', because: 'history'},
			{path: '.claude/todos', because: 'history'},
			{path: '.claude/shell-snapshots', because: 'history'},
		],
	},
	start({prompt, argv, cwd, home, program, interactive, conversation, pointer, login, uuid, servers}) {
		const id = conversation?.id ?? (conversation ? undefined : uuid);
		const earlier = conversation?.id === undefined ? ['--continue'] : ['--resume', conversation.id];
		const talk = conversation ? earlier : ['--session-id', uuid];
		const mode = interactive ? [] : ['--print', '--output-format', 'stream-json', '--verbose'];
		// A token of a subscription is held out by another variable than a key.
		const isToken = !login && (pointer?.startsWith('sk-ant-oat') ?? false);
		return {
			argv: [
				program!,
				...mode,
				'--permission-mode',
				'bypassPermissions',
				...talk,
				...argv,
				...(prompt === undefined ? [] : ['--', prompt]),
			],
			cwd,
			env: {
				CLAUDE_CONFIG_DIR: `${home}/.claude`,
				CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
				DISABLE_AUTOUPDATER: '1',
				DISABLE_TELEMETRY: '1',
				DISABLE_ERROR_REPORTING: '1',
				IS_SANDBOX: '1',
				...(isToken ? {CLAUDE_CODE_OAUTH_TOKEN: pointer!, ANTHROPIC_API_KEY: ''} : {}),
			},
			conversation: id,
			files: {
				'.claude/settings.json': JSON.stringify({
					skipDangerousModePermissionPrompt: true,
					autoUpdates: false,
					includeCoAuthoredBy: false,
				}),
				...(login && pointer !== undefined
					? {'.claude/.credentials.json': claudeCredentials(pointer, login.plan)}
					: {}),
				// What its first start would ask: a theme, whether this folder and this key are to be trusted.
				'.claude/.claude.json': JSON.stringify({
					hasCompletedOnboarding: true,
					theme: 'dark',
					bypassPermissionsModeAccepted: true,
					autoUpdates: false,
					mcpServers: Object.fromEntries(servers.map(({name, url}) => [name, {type: 'http', url}])),
					projects: {[cwd]: {hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true}},
					...(pointer === undefined || login
						? {}
						: {customApiKeyResponses: {approved: [pointer.slice(-20)], rejected: []}}),
				}),
			},
		};
	},
	read(line, length): AgentNews {
		const event = parseLine(line);
		switch (event?.['type']) {
			case 'system': {
				return {
					conversation: event['session_id'],
					...(event['subtype'] === 'init'
						? {
								text: `${event['model'] ?? 'model'}, conversation ${event['session_id']}`,
								status: {state: 'working', because: 'started'},
							}
						: {}),
				};
			}

			case 'assistant': {
				const parts = partsOf(event);
				const tool = parts.findLast(part => part['type'] === 'tool_use');
				const lines = parts.flatMap(part => {
					if (part['type'] === 'text') {
						return [String(part['text'])];
					}

					return part['type'] === 'tool_use' ? [toolLine(part['name'], part['input'], length)] : [];
				});
				return {
					text: lines.length === 0 ? undefined : lines.join('\n'),
					status: {state: 'working', because: tool ? toolLine(tool['name'], tool['input']).slice(2) : 'thinking'},
				};
			}

			case 'user': {
				const parts = partsOf(event);
				const lines = parts
					.filter(part => part['type'] === 'tool_result')
					.map(part => resultLine(part['content'], part['is_error'] === true, length));
				return {text: lines.length === 0 ? undefined : lines.join('\n')};
			}

			case 'result': {
				const failed = event['is_error'] === true || event['subtype'] !== 'success';
				return {
					text: failed ? `✘ ${failureWords(event['result'], String(event['subtype']))}` : undefined,
					conversation: event['session_id'],
					status: failed
						? {state: 'failed', because: failureWords(event['result'], String(event['subtype']))}
						: {state: 'done', because: failureWords(event['result'], 'finished')},
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
