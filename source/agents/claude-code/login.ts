import type {LoginNeed} from '../../core/seams.ts';
import {isToken} from '../../core/secrets/login.ts';
import {anthropic} from '../vendors.ts';

/** The login of a Claude subscription, as Claude Code keeps it. */
export const claudeLogin: LoginNeed = {
	name: 'claude',
	title: 'Claude',
	secret: 'claude-login',
	binding: {...anthropic.binding, headers: ['authorization'], environment: undefined},
	files: ['.claude/.credentials.json'],
	signIn: 'claude auth login',
	read(file) {
		const {accessToken, refreshToken, expiresAt, scopes, subscriptionType, clientId} = (file['claudeAiOauth'] ??
			{}) as Record<string, unknown>;
		if (!isToken(accessToken)) {
			return undefined;
		}

		return {
			access: accessToken,
			refresh: isToken(refreshToken) ? refreshToken : undefined,
			until: typeof expiresAt === 'number' ? expiresAt : undefined,
			plan: typeof subscriptionType === 'string' ? subscriptionType : undefined,
			renewal: {
				url: 'https://platform.claude.com/v1/oauth/token',
				body: 'json',
				client: typeof clientId === 'string' ? clientId : '9d1c250a-e61b-44d9-88ed-5944d1962f5e',
				scope: Array.isArray(scopes) && scopes.length > 0 ? scopes.join(' ') : undefined,
			},
		};
	},
};

/** What Claude Code finds in place of its login: a pointer that does not end, and nothing to make another from. */
export function claudeCredentials(pointer: string, plan: string | undefined): string {
	return JSON.stringify({
		claudeAiOauth: {
			accessToken: pointer,
			refreshToken: null,
			expiresAt: 4_102_444_800_000,
			// Without user:profile it does not ask who the person is.
			scopes: ['user:inference'],
			subscriptionType: plan ?? null,
			rateLimitTier: null,
		},
	});
}
