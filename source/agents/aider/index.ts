import type {Agent} from '../../core/seams.ts';
import {anthropic} from '../vendors.ts';

/** aider, on Anthropic's models. Its output is plain text: its state is told by the supervisor's own facts alone. */
export const aider: Agent = {
	id: 'aider',
	title: 'aider',
	program: 'aider',
	model: anthropic,
	instructions: [
		'.aider.conf.yml',
		'.aider.model.settings.yml',
		'.aider.model.metadata.json',
		'.aiderignore',
		'CONVENTIONS.md',
	],
	logins: {paths: ['.aider.conf.yml', '.aider/oauth-keys.env'], variables: []},
	start({prompt, argv, cwd, program, interactive, conversation}) {
		// In one word with its flag: a prompt that begins with a dash is no flag.
		const asked = prompt === undefined ? [] : [`--message=${prompt}`];
		return {
			argv: [
				program!,
				'--yes-always',
				'--no-check-update',
				'--no-show-release-notes',
				'--no-analytics',
				'--no-gitignore',
				...(conversation ? ['--restore-chat-history'] : []),
				...(interactive ? [] : ['--no-pretty', '--no-stream', ...asked]),
				...argv,
			],
			cwd,
			// Its notes belong to the run, not to the project's folder.
			env: {
				AIDER_CHAT_HISTORY_FILE: '/home/agent/.aider.chat.history.md',
				AIDER_INPUT_HISTORY_FILE: '/home/agent/.aider.input.history',
				AIDER_MODEL: 'sonnet',
			},
		};
	},
};
