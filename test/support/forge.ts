import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import type {IncomingMessage, ServerResponse} from 'node:http';
import path from 'node:path';
import process from 'node:process';
import type {TestContext} from 'node:test';
import {program, type Fleet, type Result} from './fleet.ts';
import {serveTls, world} from './tls.ts';

/*
 * A forge on the loopback: git by the real `git http-backend`, over TLS, and as much of GitHub's and GitLab's REST APIs as
 * fleet uses. Its answers have the fields that docs.github.com/rest and docs.gitlab.com/api document; no forge was asked.
 */

/** The person's own login for git, and the token of the API. */
export const login = {user: 'ada', password: 'git-password-4711', token: 'forge-token-Zq81Lm0vT2'};

type Json = Record<string, any>;

/** What a test wants to go wrong, once: the work is done, and nobody is told. */
export type Loss = 'push' | 'make' | 'find';

export class Forge {
	readonly folder: string;
	readonly repository: string;
	port = 0;
	/** Requests of the API, in their order: `POST /repos/ada/project/pulls`. */
	readonly asked: string[] = [];
	/** Credentials that came, by where they came. */
	readonly seen: Array<{readonly to: string; readonly authorization: string}> = [];
	/** Its pull requests, as it tells them; GitLab's are made of these. */
	readonly pulls: Json[] = [];
	reviews: Json[] = [];
	lineComments: Json[] = [];
	comments: Json[] = [];
	checkRuns: Json[] = [];
	statuses: Json[] = [];
	members: Json[] = [];
	/** What it answers of its settings: `/rules/branches/main`, behind the project's own path. */
	settings: Readonly<Record<string, readonly [status: number, answer: unknown]>> = {};
	readonly lose = new Set<Loss>();
	/** Answers in place of the API. */
	instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;

	constructor(fleet: Fleet, name = 'project') {
		this.folder = path.join(fleet.folder, 'forge');
		this.repository = path.join(this.folder, 'ada', `${name}.git`);
		mkdirSync(path.dirname(this.repository), {recursive: true});
		execFileSync('git', ['clone', '--quiet', '--bare', fleet.project, this.repository], {env: fleet.env});
		execFileSync('git', ['-C', this.repository, 'config', 'http.receivepack', 'true']);
	}

	async serve(t: Pick<TestContext, 'after'>): Promise<number> {
		this.port = await serveTls(t, (request, response) => {
			this.seen.push({
				to: request.url!.startsWith('/api/') ? 'api' : 'git',
				authorization: request.headers.authorization ?? '',
			});
			if (request.url!.startsWith('/ada/')) {
				this.#git(request, response);
			} else {
				void this.#api(request, response);
			}
		});
		return this.port;
	}

	/** A branch's tip there; empty where it is not there. */
	tip(branch: string): string {
		return spawnSync('git', ['-C', this.repository, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}`], {
			encoding: 'utf8',
		}).stdout.trim();
	}

	refs(): string[] {
		return execFileSync('git', ['-C', this.repository, 'for-each-ref', '--format=%(refname)'], {encoding: 'utf8'})
			.trim()
			.split('\n');
	}

	/** As a CGI program is called: https://git-scm.com/docs/git-http-backend */
	#git(request: IncomingMessage, response: ServerResponse): void {
		const wanted = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
		if (request.headers.authorization !== wanted) {
			response.writeHead(401, {'WWW-Authenticate': 'Basic realm="git"'}).end();
			return;
		}

		const {pathname, search} = new URL(request.url!, 'https://x');
		const child = spawn('git', ['http-backend'], {
			env: {
				PATH: process.env['PATH'],
				GIT_PROJECT_ROOT: this.folder,
				GIT_HTTP_EXPORT_ALL: '1',
				REQUEST_METHOD: request.method,
				PATH_INFO: pathname,
				QUERY_STRING: search.slice(1),
				CONTENT_TYPE: request.headers['content-type'] ?? '',
				HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
				...(request.headers['content-length'] ? {CONTENT_LENGTH: request.headers['content-length']} : {}),
				REMOTE_USER: login.user,
				HOME: '/nonexistent',
			},
			stdio: ['pipe', 'pipe', 'ignore'],
		});
		request.pipe(child.stdin);
		child.stdin.on('error', () => {});
		const pieces: Buffer[] = [];
		child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
		child.once('close', () => {
			if (request.method === 'POST' && pathname.endsWith('git-receive-pack') && this.lose.delete('push')) {
				response.socket!.destroy();
				return;
			}

			const whole = Buffer.concat(pieces);
			const at = whole.indexOf('\r\n\r\n');
			const lines = whole.subarray(0, at).toString().split('\r\n');
			const status = Number(/^Status: (\d+)/.exec(lines.find(line => line.startsWith('Status:')) ?? '')?.[1] ?? 200);
			const headers = lines
				.filter(line => !line.startsWith('Status:'))
				.map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const);
			response.writeHead(status, Object.fromEntries(headers)).end(whole.subarray(at + 4));
		});
	}

	async #api(request: IncomingMessage, response: ServerResponse): Promise<void> {
		let text = '';
		for await (const piece of request.setEncoding('utf8') as AsyncIterable<string>) {
			text += piece;
		}

		const url = new URL(request.url!, 'https://x');
		this.asked.push(`${request.method} ${url.pathname.replace(/^\/api\/v?\d?\/?/, '/')}`);
		if (this.instead?.(request, response)) {
			return;
		}

		const {authorization = '', 'private-token': own = ''} = request.headers;
		if (!authorization.endsWith(login.token) && own !== login.token) {
			this.#say(response, 401, {message: 'Bad credentials', documentation_url: 'https://docs.github.com/rest'});
			return;
		}

		const setting = this.settings[url.pathname.replace(/^.*?\/(?:repos\/ada\/project|projects\/ada%2Fproject)/, '')];
		if (setting) {
			this.#say(response, ...setting);
			return;
		}

		const body = text === '' ? {} : (JSON.parse(text) as Json);
		const [status, answer] = url.pathname.startsWith('/api/v4')
			? this.#gitlab(request.method!, url, body)
			: this.#github(request.method!, url, body);
		const what = {POST: 'make', GET: 'find'}[request.method!] as Loss | undefined;
		if (what && /\/(?:pulls|merge_requests)$/.test(url.pathname) && this.lose.delete(what)) {
			response.socket!.destroy();
			return;
		}

		this.#say(response, status, answer);
	}

	#say(response: ServerResponse, status: number, answer: unknown): void {
		response.writeHead(status, {'Content-Type': 'application/json; charset=utf-8'}).end(JSON.stringify(answer));
	}

	/** As it is told now: its head follows the branch while it is open. */
	#pull(pull: Json): Json {
		if (pull['state'] === 'open') {
			pull['head'].sha = this.tip(pull['head'].ref as string) || pull['head'].sha;
		}

		return pull;
	}

	#make({title, body, head, base, draft}: Json): [number, unknown] {
		if (this.pulls.some(pull => pull['state'] === 'open' && pull['head'].ref === head)) {
			return [
				422,
				{message: 'Validation Failed', errors: [{message: `A pull request already exists for ada:${head}.`}]},
			];
		}

		const pull: Json = {
			number: this.pulls.length + 1,
			node_id: `PR_${this.pulls.length + 1}`,
			state: 'open',
			html_url: 'https://elsewhere.example/not-used',
			title,
			body,
			draft: draft ?? false,
			merged_at: null,
			merge_commit_sha: null,
			mergeable: null,
			head: {ref: head, sha: this.tip(head as string), repo: {full_name: 'ada/project'}},
			base: {ref: base},
		};
		this.pulls.push(pull);
		return [201, pull];
	}

	#github(method: string, url: URL, body: Json): [number, unknown] {
		const where = url.pathname.replace('/api/v3', '').replace('/repos/ada/project', '');
		const found = /^\/(?:pulls|issues)\/(\d+)(\/\w+)?$/.exec(where);
		const pull = found ? this.pulls.find(one => one['number'] === Number(found[1])) : undefined;
		const first = (url.searchParams.get('page') ?? '1') === '1';
		switch (`${method} ${found ? `/N${found[2] ?? ''}` : where.replace(/[\da-f]{40}/, 'SHA')}`) {
			case 'GET /pulls': {
				const head = url.searchParams.get('head')!.replace('ada:', '');
				return [200, this.pulls.filter(one => one['head'].ref === head).map(one => this.#pull(one))];
			}

			case 'POST /pulls': {
				return this.#make(body);
			}

			case 'GET /N': {
				return pull ? [200, this.#pull(pull)] : [404, {message: 'Not Found'}];
			}

			case 'PATCH /N': {
				Object.assign(pull!, body);
				return [200, pull];
			}

			case 'POST /api/graphql': {
				const one = this.pulls.find(({node_id: id}) => id === body['variables'].id)!;
				one['draft'] = false;
				return [200, {data: {markPullRequestReadyForReview: {pullRequest: {number: one['number']}}}}];
			}

			case 'GET /N/reviews': {
				return [200, first ? this.reviews : []];
			}

			case 'GET /N/comments': {
				const list = where.startsWith('/issues') ? this.comments : this.lineComments;
				return [200, first ? list : []];
			}

			case 'GET /commits/SHA/check-runs': {
				return [200, {total_count: this.checkRuns.length, check_runs: this.checkRuns}];
			}

			case 'GET /commits/SHA/status': {
				return [200, {state: 'pending', total_count: this.statuses.length, statuses: this.statuses}];
			}

			default: {
				return [404, {message: 'Not Found'}];
			}
		}
	}

	/** A pull request as a merge request. */
	#mergeRequest(pull: Json): Json {
		const {number, title, body, state, head, base, merged_at: mergedAt} = this.#pull(pull);
		const open = state === 'open' ? 'opened' : 'closed';
		return {
			iid: number,
			title,
			description: body,
			state: mergedAt ? 'merged' : open,
			draft: (title as string).startsWith('Draft:'),
			sha: head.sha,
			source_branch: head.ref,
			target_branch: base.ref,
			source_project_id: 1,
			target_project_id: 1,
			has_conflicts: false,
			merge_commit_sha: pull['merge_commit_sha'],
			squash_commit_sha: null,
		};
	}

	#gitlab(method: string, url: URL, body: Json): [number, unknown] {
		const where = url.pathname.replace('/api/v4/projects/ada%2Fproject', '');
		const found = /^\/merge_requests\/(\d+)(\/\w+)?$/.exec(where);
		const pull = found ? this.pulls.find(one => one['number'] === Number(found[1])) : undefined;
		const first = (url.searchParams.get('page') ?? '1') === '1';
		switch (`${method} ${found ? `/N${found[2] ?? ''}` : where.replace(/[\da-f]{40}/, 'SHA')}`) {
			case 'GET /merge_requests': {
				const branch = url.searchParams.get('source_branch');
				return [200, this.pulls.filter(one => one['head'].ref === branch).map(one => this.#mergeRequest(one))];
			}

			case 'POST /merge_requests': {
				const {title, description, source_branch: head, target_branch: base} = body;
				const [status, made] = this.#make({title, body: description, head, base});
				return status === 201
					? [201, this.#mergeRequest(made as Json)]
					: [409, {message: ['Another open merge request already exists for this source branch: !1']}];
			}

			case 'GET /N': {
				return pull ? [200, this.#mergeRequest(pull)] : [404, {message: '404 Not found'}];
			}

			case 'PUT /N': {
				Object.assign(pull!, {
					...(body['title'] === undefined ? {} : {title: body['title']}),
					...(body['description'] === undefined ? {} : {body: body['description']}),
				});
				return [200, this.#mergeRequest(pull!)];
			}

			case 'GET /N/notes': {
				return [200, first ? this.comments : []];
			}

			case 'GET /N/approvals': {
				return [200, {approved_by: this.reviews}];
			}

			case 'GET /repository/commits/SHA/statuses': {
				return [200, this.statuses];
			}

			case 'GET /members/all': {
				return [200, this.members];
			}

			default: {
				return [404, {message: '404 Project Not Found'}];
			}
		}
	}
}

/** A fleet whose project's remote is a forge, and whose person can sign in there with git. */
export async function withForge(
	t: Pick<TestContext, 'after'>,
	fleet: Fleet,
	{host = 'host.fleet.internal'}: {readonly host?: string} = {},
): Promise<{readonly forge: Forge; readonly env: Record<string, string>}> {
	const forge = new Forge(fleet);
	const port = await forge.serve(t);
	const authority = path.join(fleet.folder, 'world.pem');
	writeFileSync(authority, world.certificate);
	const helper = path.join(fleet.folder, 'credentials.sh');
	writeFileSync(helper, `#!/bin/sh\necho username=${login.user}\necho password=${login.password}\n`, {mode: 0o755});
	const config = (...argv: string[]) =>
		execFileSync('git', ['config', '--global', ...argv], {env: fleet.env, stdio: 'ignore'});
	config('http.sslCAInfo', authority);
	config('http.curloptResolve', `host.fleet.internal:${port}:127.0.0.1`);
	config('credential.helper', helper);
	fleet.git('remote', 'add', 'origin', `https://${host}:${port}/ada/project.git`);
	return {forge, env: {SSL_CERT_FILE: authority, FORGE_TOKEN: login.token}};
}

/** Puts the token of the forge's API where fleet finds it: a deploy secret for its host alone. */
export function addToken(fleet: Fleet, forge: Forge, host = 'host.fleet.internal', name = 'forge'): void {
	fleet.must(
		'secret',
		'add',
		name,
		'--user',
		'--class',
		'deploy',
		'--host',
		`${host}:${forge.port}`,
		'--from',
		'env:FORGE_TOKEN',
	);
}

/** Runs a verb while the forge, which is in this process, answers. */
export function speak(fleet: Fleet, argv: readonly string[], env: Record<string, string>): Promise<Result> {
	return new Promise(resolve => {
		const child = spawn(process.execPath, [program, ...argv], {
			cwd: fleet.project,
			env: {...fleet.env, ...env},
			stdio: ['ignore', 'pipe', 'pipe'],
			timeout: 120_000,
		});
		let [stdout, stderr] = ['', ''];
		child.stdout.setEncoding('utf8').on('data', (text: string) => {
			stdout += text;
		});
		child.stderr.setEncoding('utf8').on('data', (text: string) => {
			stderr += text;
		});
		child.once('close', code => resolve({code, stdout, stderr}));
	});
}
