import type {LoginNeed} from '../../core/seams.ts';
import {isToken} from '../../core/secrets/login.ts';

/** The login of a Google account, as Gemini CLI keeps it. */
export const geminiLogin: LoginNeed = {
	name: 'gemini',
	title: 'Google',
	secret: 'gemini-login',
	binding: {
		class: 'model',
		hosts: ['cloudcode-pa.googleapis.com', 'www.googleapis.com'],
		headers: ['authorization'],
		methods: ['GET', 'POST'],
		paths: ['/v1internal:*', '/v1internal/*'],
	},
	files: ['.gemini/oauth_creds.json'],
	signIn: 'gemini',
	answers: [
		{
			// Whose account it is.
			host: 'www.googleapis.com',
			path: /^\/oauth2\/v2\/userinfo$/,
			status: 200,
			body: () => ({email: 'run@fleet.invalid'}),
		},
	],
	client: {id: /\b\d{6,}-[a-z0-9]{20,}\.apps\.googleusercontent\.com\b/, secret: /\bGOCSPX-[\w-]{20,40}/},
	read({access_token: access, refresh_token: refresh, expiry_date: until}, client) {
		if (!isToken(access)) {
			return undefined;
		}

		return {
			access,
			refresh: isToken(refresh) ? refresh : undefined,
			until: typeof until === 'number' ? until : undefined,
			renewal: client && {
				url: 'https://oauth2.googleapis.com/token',
				body: 'form',
				client: client.id,
				clientSecret: client.secret,
			},
		};
	},
};
