import type {LoginNeed} from '../../core/seams.ts';
import {expiryOf, isToken} from '../../core/secrets/login.ts';

/** The login of a ChatGPT subscription, as Codex keeps it. */
export const codexLogin: LoginNeed = {
	name: 'codex',
	title: 'ChatGPT',
	secret: 'codex-login',
	binding: {
		class: 'model',
		hosts: ['chatgpt.com'],
		headers: ['authorization'],
		methods: ['GET', 'POST'],
		paths: ['/backend-api/codex/models', '/backend-api/codex/responses', '/backend-api/codex/responses/*'],
	},
	files: ['.codex/auth.json'],
	signIn: 'codex login',
	answers: [
		{
			// Which workspaces there are, and where each one's data may go: the run sees one, that is bound to no place.
			host: 'chatgpt.com',
			path: /^\/backend-api\/wham\/accounts\/check$/,
			status: 200,
			body: account => ({
				accounts: [
					{
						id: account ?? 'run',
						name: null,
						profile_picture_url: null,
						structure: 'personal',
						workspace_backend_origin: 'NO_CONSTRAINT',
						account_routing_override: 'NO_CONSTRAINT',
					},
				],
				account_ordering: [account ?? 'run'],
				default_account_id: account ?? 'run',
			}),
		},
		{
			// The person's settings, usage and tasks, what plugins there are, what was done.
			host: 'chatgpt.com',
			path: /^\/backend-api\/(?:wham|ps|plugins|codex\/analytics-events)\//,
			status: 404,
			body: () => ({detail: 'Not Found'}),
		},
	],
	read(file) {
		const {
			access_token: access,
			refresh_token: refresh,
			account_id: account,
		} = (file['tokens'] ?? {}) as Record<string, unknown>;
		if (!isToken(access)) {
			return undefined;
		}

		return {
			access,
			refresh: isToken(refresh) ? refresh : undefined,
			until: expiryOf(access),
			account: isToken(account) ? {header: 'chatgpt-account-id', value: account} : undefined,
			renewal: {
				url: 'https://auth.openai.com/oauth/token',
				body: 'json',
				client: 'app_EMoamEEZ73f0CkXaXp7hrann',
				scope: 'openid profile email',
			},
		};
	},
};

/** A token of the right shape for whoever reads it, and signed by nobody. */
function token(claims: Record<string, unknown>): string {
	const part = (value: unknown) =>
		btoa(JSON.stringify(value)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
	return `${part({alg: 'none', typ: 'JWT'})}.${part(claims)}.${part('none')}`;
}

/**
 * What Codex finds in place of its login: pointers, an identity that is made up, and nothing to make another token from.
 * @param account what stands for the account's id
 */
export function codexCredentials(pointer: string, account: string | undefined): string {
	const id = account ?? 'run';
	return JSON.stringify({
		auth_mode: 'chatgpt',
		OPENAI_API_KEY: null,
		tokens: {
			id_token: token({
				email: 'run@fleet.invalid',
				exp: 4_102_444_800,
				'https://api.openai.com/auth': {
					chatgpt_account_id: id,
					chatgpt_plan_type: 'pro',
					chatgpt_user_id: 'run',
					user_id: 'run',
				},
			}),
			access_token: pointer,
			refresh_token: '',
			account_id: id,
		},
		// So that it does not think of a refresh.
		last_refresh: '2099-01-01T00:00:00Z',
	});
}
