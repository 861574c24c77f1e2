import {createHash, randomUUID} from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import type {AddressInfo} from 'node:net';
import type {TestContext} from 'node:test';
import tls from 'node:tls';
import {copyOf} from '../../source/core/secrets/patterns.ts';
import {FrameWalker} from '../../source/core/network/websocket-frames.ts';
import {world} from './tls.ts';

/*
 * A model behind the vendors' own protocols: Anthropic Messages, OpenAI Responses (events and websocket), Gemini, and
 * what Copilot asks of GitHub. It answers to the real credential alone, and to what the protocols say alone:
 * everything else is written down as a fault, and a test that finds one fails.
 */

type Json = Record<string, any>;

/** What a conversation is made of, in any protocol: whether tools were used already, and which tool runs a command. */
type Turn = {
	readonly results: readonly string[];
	readonly tool: {readonly name: string; readonly input: Json} | undefined;
	readonly prompt: string;
};

/** What the model has the agent do: run a command, or use a tool whose name ends so. */
export type Step = string | {readonly tool: string; readonly input: Json};

const shells = ['exec', 'Bash', 'bash', 'exec_command', 'shell_command', 'shell', 'run_shell_command'];

/** A value that a tool's schema allows for an argument, where it does not matter which. */
function anyValue(property: Json | undefined): unknown {
	switch (property?.['type']) {
		case 'string': {
			return property['enum']?.[0] ?? 'run it';
		}

		case 'boolean': {
			return false;
		}

		case 'number':
		case 'integer': {
			return 30;
		}

		case 'array': {
			return [];
		}

		default: {
			return {};
		}
	}
}

/** The text of a message's content, which is a string or a list of parts. */
function textOf(value: unknown, otherwise: (value: unknown) => string): string {
	if (typeof value === 'string') {
		return value;
	}

	return Array.isArray(value) ? value.map(part => String((part as Json)['text'] ?? '')).join('') : otherwise(value);
}

/** The arguments that a tool's own schema asks for, with the command in its place. */
function argumentsFor(schema: Json, command: string): Json {
	const properties = (schema['properties'] ?? {}) as Record<string, Json>;
	const found: Json = properties['command'] || properties['cmd'] ? {} : {command};
	for (const name of new Set([
		...Object.keys(properties).filter(name => ['command', 'cmd'].includes(name)),
		...((schema['required'] ?? []) as string[]),
	])) {
		if (name === 'command' || name === 'cmd') {
			found[name] = properties[name]?.['type'] === 'array' ? ['bash', '-lc', command] : command;
		} else {
			found[name] = anyValue(properties[name]);
		}
	}

	return found;
}

/** What a response brings: the use of a tool, or where there is none the last message. */
function itemFor(tool: Turn['tool']): Json {
	if (!tool) {
		return {
			type: 'message',
			id: `msg_${randomUUID()}`,
			role: 'assistant',
			status: 'completed',
			content: [{type: 'output_text', text: 'All done.', annotations: []}],
		};
	}

	if (tool.name === 'exec') {
		const command = JSON.stringify(tool.input['command']);
		const script = tool.input['script'] as string | undefined;
		return {
			type: 'custom_tool_call',
			id: `ctc_${randomUUID()}`,
			call_id: `call_${randomUUID()}`,
			name: 'exec',
			namespace: 'functions',
			input: script ?? `const result = await tools.exec_command({cmd: ${command}});\ntext(result.output ?? result);`,
			status: 'completed',
		};
	}

	return {
		type: 'function_call',
		id: `fc_${randomUUID()}`,
		call_id: `call_${randomUUID()}`,
		name: tool.name,
		arguments: JSON.stringify(tool.input),
		status: 'completed',
	};
}

export class ModelServer {
	readonly #server: https.Server;
	readonly #commands: readonly Step[];
	readonly #credential: string | ((given: string) => boolean);
	#searches = 0;
	/** What broke a protocol, or came without the credential. */
	readonly faults: string[] = [];
	/** Requests that were answered, as `METHOD host/path`. */
	readonly answered: string[] = [];
	/** What the tools gave back, as the agent sent it. */
	readonly results: string[] = [];
	/** Names of the tools that it was told of. */
	readonly tools = new Set<string>();
	/** Texts of the prompts that came. */
	readonly prompts: string[] = [];
	/** Every request's body, to look for what must not be in it. */
	readonly bodies: string[] = [];
	/**
	 * Which time it is that the agent is told something, from 0, by the texts of its prompts: then each time has one
	 * command, and ends. Undefined: one conversation has all of them.
	 */
	round: ((prompts: string) => number) | undefined;
	/** How many results there were when a round's command was given first: one more, and the round is over. */
	readonly #begun = new Map<number, number>();
	/** Answers what is no model's business, such as a request for tokens; returns whether it did. */
	handle: ((request: http.IncomingMessage, body: string, response: http.ServerResponse) => boolean) | undefined;
	/** Requests whose credential was not taken are expected, and no faults: they are counted. */
	forgives = false;
	forgiven = 0;
	/** Connections that were upgraded. */
	sockets = 0;

	private constructor(credential: string | ((given: string) => boolean), commands: readonly Step[]) {
		this.#credential = credential;
		this.#commands = commands;
		const leaf = (host: string) => tls.createSecureContext(world.leaf(host));
		this.#server = https.createServer(
			{...world.leaf('localhost'), SNICallback: (host, done) => done(null, leaf(host))},
			(request, response) => {
				const parts: Buffer[] = [];
				request.on('data', part => parts.push(part));
				request.on('end', () => this.#answer(request, response, Buffer.concat(parts).toString('utf8')));
			},
		);
		this.#server.on('upgrade', (request: http.IncomingMessage, socket: net.Socket) => this.#socket(request, socket));
	}

	/**
	 * @param credential what alone is answered to
	 * @param commands what the model has the agent run, one after the other; then it says that it is done
	 */
	static async open(
		t: Pick<TestContext, 'after'>,
		credential: string | ((given: string) => boolean),
		commands: readonly Step[],
	): Promise<ModelServer & {port: number}> {
		const server = new ModelServer(credential, commands);
		await new Promise<void>(resolve => {
			server.#server.listen(0, '127.0.0.1', resolve);
		});
		t.after(() => {
			server.#server.close();
			server.#server.closeAllConnections();
		});
		return Object.assign(server, {port: (server.#server.address() as AddressInfo).port});
	}

	#isKnown(request: http.IncomingMessage): boolean {
		const {authorization} = request.headers;
		const given = [
			authorization?.replace(/^(?:Bearer|token) /i, ''),
			request.headers['x-api-key'],
			request.headers['x-goog-api-key'],
		].filter(text => text !== undefined);
		return given.length > 0 && given.every(text => this.#takes(text as string));
	}

	#strange(what: string): void {
		if (this.forgives) {
			this.forgiven++;
		} else {
			this.faults.push(what);
		}
	}

	#takes(text: string): boolean {
		return typeof this.#credential === 'string' ? text === this.#credential : this.#credential(text);
	}

	#answer(request: http.IncomingMessage, response: http.ServerResponse, body: string): void {
		const {host = ''} = request.headers;
		const url = new URL(request.url!, `https://${host}`);
		const what = `${request.method} ${host}${url.pathname}`;
		if (this.handle?.(request, body, response)) {
			return;
		}

		this.bodies.push(body);
		const json = (value: unknown, status = 200) => {
			response.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(value));
		};

		if (!this.#isKnown(request)) {
			this.#strange(`${what}: without the credential (${JSON.stringify(request.headers)})`.slice(0, 600));
			json({type: 'error', error: {type: 'authentication_error', message: 'who are you?'}}, 401);
			return;
		}

		let document: Json = {};
		try {
			document = body === '' ? {} : (JSON.parse(body) as Json);
		} catch {
			this.faults.push(`${what}: a body that is not JSON`);
			json({error: {message: 'not JSON'}}, 400);
			return;
		}

		this.answered.push(what);
		const path = url.pathname;
		if (request.method === 'POST' && path === '/v1/messages/count_tokens') {
			json({input_tokens: 100});
		} else if (request.method === 'POST' && path === '/v1/messages') {
			this.#messages(what, document, response);
		} else if (request.method === 'POST' && /^(?:\/v1|\/backend-api\/codex)?\/responses$/.test(path)) {
			this.#responses(what, document, event => {
				if (!response.headersSent) {
					response.writeHead(200, {'content-type': 'text/event-stream'});
				}

				response.write(`event: ${event['type']}\ndata: ${JSON.stringify(event)}\n\n`);
			});
			response.end();
		} else if (request.method === 'POST' && path === '/chat/completions') {
			this.#chat(what, document, response);
		} else if (request.method === 'POST' && /^\/v1beta\/models\/[^:]+:(?:streamG|g)enerateContent$/.test(path)) {
			this.#gemini(what, document, response, {
				streamed: path.endsWith('streamGenerateContent'),
				wrap: answer => answer,
			});
		} else if (request.method === 'POST' && path.endsWith(':countTokens')) {
			json({totalTokens: 100});
		} else if (request.method === 'GET' && (path === '/v1/models' || path === '/models')) {
			json(
				host.includes('copilot')
					? {data: [copilotModel], object: 'list'}
					: {data: [], models: [], object: 'list', has_more: false},
			);
		} else if (request.method === 'POST' && path.startsWith('/v1internal:')) {
			this.#codeAssist(what, document, response, path.slice('/v1internal:'.length));
		} else if (request.method === 'GET' && path === '/backend-api/codex/models') {
			json({models: []});
		} else if (request.method === 'GET' && path.startsWith('/v1/models/')) {
			json({id: path.split('/').at(-1), type: 'model', object: 'model'});
		} else if (request.method === 'GET' && path === '/copilot_internal/user') {
			json({
				login: 'person',
				copilot_plan: 'individual',
				access_type_sku: 'x',
				chat_enabled: true,
				cli_enabled: true,
				can_signup_for_limited: false,
				is_mcp_enabled: true,
				endpoints: {
					api: 'https://api.githubcopilot.com',
					telemetry: 'https://telemetry.invalid',
					proxy: 'https://proxy.invalid',
				},
				quota_snapshots: {},
			});
		} else if (request.method === 'GET' && path === '/user') {
			json({login: 'person', id: 1});
		} else {
			// What an agent would like to know besides, and goes on without.
			json({message: 'Not Found'}, 404);
		}
	}

	/** The next command, if the conversation is one that has tools and has not had them all. */
	#next(turn: {results: readonly string[]; tools: ReadonlyArray<{name: string; schema: Json}>; prompt: string}): Turn {
		this.results.push(...turn.results.filter(result => !this.results.includes(result)));
		if (turn.prompt !== '' && !this.prompts.includes(turn.prompt)) {
			this.prompts.push(turn.prompt);
		}

		for (const {name} of turn.tools) {
			this.tools.add(name);
		}

		const shell = shells.map(name => turn.tools.find(tool => tool.name === name)).find(tool => tool !== undefined);
		const step = this.#stepFor(turn, shell !== undefined);
		let tool: Turn['tool'];
		if (typeof step === 'object') {
			const named = turn.tools.find(({name}) => name.endsWith(step.tool));
			// An agent may keep tools back until its model looks for them.
			const search = turn.tools.find(({name}) => name === 'ToolSearch');
			if (named) {
				tool = {name: named.name, input: step.input};
			} else if (shell?.name === 'exec') {
				// Where tools are called by a script, only the script names them.
				const script = `text(JSON.stringify(await tools.mcp__every__${step.tool}(${JSON.stringify(step.input)})));`;
				tool = {name: shell.name, input: {script}};
			} else if (search && this.#searches === 0) {
				this.#searches++;
				tool = {name: search.name, input: {query: step.tool, max_results: 5}};
			}
		} else if (shell && step !== undefined) {
			tool = {name: shell.name, input: argumentsFor(shell.schema, step)};
		}

		return {results: turn.results, prompt: turn.prompt, tool};
	}

	#stepFor(
		{results, prompt}: {readonly results: readonly string[]; readonly prompt: string},
		hasShell: boolean,
	): Step | undefined {
		if (!this.round) {
			return this.#commands[results.length - this.#searches];
		}

		const round = this.round(prompt);
		const before = this.#begun.get(round) ?? results.length;
		if (!hasShell || results.length > before) {
			return undefined;
		}

		// An agent may ask twice before it does what it was told.
		this.#begun.set(round, before);
		return this.#commands[round];
	}

	/** https://docs.anthropic.com/en/api/messages-streaming */
	#messages(what: string, document: Json, response: http.ServerResponse): void {
		const messages = document['messages'] as Json[] | undefined;
		if (
			!Array.isArray(messages) ||
			typeof document['model'] !== 'string' ||
			typeof document['max_tokens'] !== 'number'
		) {
			this.faults.push(`${what}: not a request for a message`);
			response.writeHead(400).end();
			return;
		}

		const blocks = messages.flatMap(message =>
			Array.isArray(message['content'])
				? (message['content'] as Json[])
				: [{type: 'text', text: String(message['content'])}],
		);
		const asked = blocks.filter(block => block['type'] === 'tool_use').map(block => block['id']);
		const answers = blocks.filter(block => block['type'] === 'tool_result');
		if (answers.some(answer => !asked.includes(answer['tool_use_id']))) {
			this.faults.push(`${what}: an answer to a tool that was not used`);
		}

		const text = (value: unknown) => textOf(value, () => '');
		const turn = this.#next({
			results: answers.map(answer => text(answer['content'])),
			prompt: blocks
				.filter(block => block['type'] === 'text')
				.map(block => String(block['text']))
				.join('\n'),
			tools: ((document['tools'] ?? []) as Json[]).map(tool => ({
				name: String(tool['name']),
				schema: (tool['input_schema'] ?? {}) as Json,
			})),
		});
		const usage = {input_tokens: 1000, cache_read_input_tokens: 200, cache_creation_input_tokens: 0, output_tokens: 50};
		const content: Json = turn.tool
			? {
					type: 'tool_use',
					id: `toolu_${randomUUID().replaceAll('-', '').slice(0, 24)}`,
					name: turn.tool.name,
					input: turn.tool.input,
				}
			: {type: 'text', text: 'All done.'};
		const message = {
			id: `msg_${randomUUID()}`,
			type: 'message',
			role: 'assistant',
			model: document['model'],
			content: [],
			stop_reason: null,
			stop_sequence: null,
			usage: {...usage, output_tokens: 1},
		};
		const stop = turn.tool ? 'tool_use' : 'end_turn';
		if (document['stream'] !== true) {
			response
				.writeHead(200, {'content-type': 'application/json'})
				.end(JSON.stringify({...message, content: [content], stop_reason: stop, usage}));
			return;
		}

		response.writeHead(200, {'content-type': 'text/event-stream'});
		const send = (event: Json) => response.write(`event: ${event['type']}\ndata: ${JSON.stringify(event)}\n\n`);
		send({type: 'message_start', message});
		if (turn.tool) {
			send({type: 'content_block_start', index: 0, content_block: {...content, input: {}}});
			const input = JSON.stringify(turn.tool.input);
			// In pieces, as it comes.
			for (let at = 0; at < input.length; at += 20) {
				send({
					type: 'content_block_delta',
					index: 0,
					delta: {type: 'input_json_delta', partial_json: input.slice(at, at + 20)},
				});
			}
		} else {
			send({type: 'content_block_start', index: 0, content_block: {type: 'text', text: ''}});
			send({type: 'content_block_delta', index: 0, delta: {type: 'text_delta', text: 'All done.'}});
		}

		send({type: 'content_block_stop', index: 0});
		send({type: 'message_delta', delta: {stop_reason: stop, stop_sequence: null}, usage: {output_tokens: 50}});
		send({type: 'message_stop'});
		response.end();
	}

	/**
	 * https://platform.openai.com/docs/api-reference/responses-streaming; over a websocket the same events are messages.
	 */
	#responses(what: string, document: Json, send: (event: Json) => void): void {
		const input = document['input'] as Json[] | undefined;
		if (!Array.isArray(input) || typeof document['model'] !== 'string') {
			this.faults.push(`${what}: not a request for a response`);
			send({type: 'error', error: {message: 'bad request'}});
			return;
		}

		const text = (value: unknown) => textOf(value, other => JSON.stringify(other ?? ''));
		const turn = this.#next({
			results: input
				.filter(item => item['type'] === 'function_call_output' || item['type'] === 'custom_tool_call_output')
				.map(item => text(item['output'])),
			prompt: input
				.filter(item => item['role'] === 'user')
				.map(item => text(item['content']))
				.join('\n'),
			// Tools may come with the input, too, when they change on the way.
			tools: [
				...((document['tools'] ?? []) as Json[]),
				...input.filter(item => item['type'] === 'additional_tools').flatMap(item => item['tools'] as Json[]),
			]
				.flatMap(tool => (tool['type'] === 'namespace' ? (tool['tools'] as Json[]) : [tool]))
				.map(tool => ({name: String(tool['name'] ?? tool['type']), schema: (tool['parameters'] ?? {}) as Json})),
		});
		const id = `resp_${randomUUID()}`;
		const isScript = turn.tool?.name === 'exec';
		const item = itemFor(turn.tool);
		const base = {
			id,
			object: 'response',
			created_at: Math.floor(Date.now() / 1000),
			model: document['model'],
			status: 'in_progress',
			output: [] as Json[],
		};
		let number = 0;
		const event = (type: string, more: Json) => send({type, sequence_number: number++, ...more});
		event('response.created', {response: base});
		if (document['generate'] === false) {
			// It only wants the beginning to be kept.
			event('response.completed', {
				response: {
					...base,
					status: 'completed',
					usage: {
						input_tokens: 0,
						input_tokens_details: {cached_tokens: 0},
						output_tokens: 0,
						output_tokens_details: {reasoning_tokens: 0},
						total_tokens: 0,
					},
				},
			});
			return;
		}

		event('response.output_item.added', {
			output_index: 0,
			item: turn.tool
				? {...item, ...(isScript ? {input: ''} : {arguments: ''}), status: 'in_progress'}
				: {...item, content: [], status: 'in_progress'},
		});
		if (!turn.tool) {
			event('response.output_text.delta', {item_id: item['id'], output_index: 0, content_index: 0, delta: 'All done.'});
			event('response.output_text.done', {item_id: item['id'], output_index: 0, content_index: 0, text: 'All done.'});
		}

		event('response.output_item.done', {output_index: 0, item});
		event('response.completed', {
			response: {
				...base,
				status: 'completed',
				output: [item],
				usage: {
					input_tokens: 1200,
					input_tokens_details: {cached_tokens: 200},
					output_tokens: 50,
					output_tokens_details: {reasoning_tokens: 0},
					total_tokens: 1250,
				},
			},
		});
	}

	#socket(request: http.IncomingMessage, socket: net.Socket): void {
		const what = `WEBSOCKET ${request.headers.host}${request.url}`;
		if (!this.#isKnown(request)) {
			this.#strange(`${what}: without the credential`);
			socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
			return;
		}

		this.sockets++;
		this.answered.push(what);
		socket.on('error', () => {});
		const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
		socket.write(
			'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
				`Sec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}\r\n\r\n`,
		);
		const history = new Map<string, Json[]>();
		let parts: Uint8Array[] = [];
		const walker = new FrameWalker((bytes, end) => {
			parts.push(copyOf(bytes));
			if (!end) {
				return;
			}

			const body = Buffer.concat(parts).toString('utf8');
			parts = [];
			if (!body.startsWith('{')) {
				return;
			}

			this.bodies.push(body);
			const document = JSON.parse(body) as Json;
			// A turn may name the one before it in place of repeating it.
			const input = [
				...(history.get(String(document['previous_response_id'])) ?? []),
				...((document['input'] ?? []) as Json[]),
			];
			this.#responses(what, {...document, input}, event => {
				if (event['type'] === 'response.completed') {
					history.set(event['response'].id, [...input, ...event['response'].output]);
				}

				const payload = Buffer.from(JSON.stringify(event));
				const head =
					payload.length < 126 ? [0x81, payload.length] : [0x81, 126, payload.length >> 8, payload.length & 0xff];
				socket.write(Buffer.concat([Buffer.from(head), payload]));
			});
		});
		socket.on('data', bytes => walker.push(copyOf(bytes)));
	}

	/** https://platform.openai.com/docs/api-reference/chat/streaming */
	#chat(what: string, document: Json, response: http.ServerResponse): void {
		const messages = document['messages'] as Json[] | undefined;
		if (!Array.isArray(messages)) {
			this.faults.push(`${what}: not a request for a completion`);
			response.writeHead(400).end();
			return;
		}

		const text = (value: unknown) => textOf(value, () => '');
		const turn = this.#next({
			results: messages.filter(message => message['role'] === 'tool').map(message => text(message['content'])),
			prompt: messages
				.filter(message => message['role'] === 'user')
				.map(message => text(message['content']))
				.join('\n'),
			tools: ((document['tools'] ?? []) as Json[]).map(tool => ({
				name: String(tool['function']?.name),
				schema: (tool['function']?.parameters ?? {}) as Json,
			})),
		});
		const call = turn.tool && {
			id: `call_${randomUUID()}`,
			type: 'function',
			function: {name: turn.tool.name, arguments: JSON.stringify(turn.tool.input)},
		};
		const usage = {
			prompt_tokens: 1200,
			prompt_tokens_details: {cached_tokens: 200},
			completion_tokens: 50,
			total_tokens: 1250,
		};
		const finish = call ? 'tool_calls' : 'stop';
		const base = {id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model: document['model']};
		const message = call
			? {role: 'assistant', content: null, tool_calls: [call]}
			: {role: 'assistant', content: 'All done.'};
		if (document['stream'] !== true) {
			response.writeHead(200, {'content-type': 'application/json'}).end(
				JSON.stringify({
					...base,
					object: 'chat.completion',
					choices: [{index: 0, message, finish_reason: finish}],
					usage,
				}),
			);
			return;
		}

		response.writeHead(200, {'content-type': 'text/event-stream'});
		const send = (value: Json) =>
			response.write(`data: ${JSON.stringify({...base, object: 'chat.completion.chunk', ...value})}\n\n`);
		send({
			choices: [
				{
					index: 0,
					delta: call ? {role: 'assistant', content: null, tool_calls: [{index: 0, ...call}]} : message,
					finish_reason: null,
				},
			],
		});
		send({choices: [{index: 0, delta: {}, finish_reason: finish}], usage});
		response.end('data: [DONE]\n\n');
	}

	/** What Gemini CLI asks with a Google account: the same as of the API, in an envelope. */
	#codeAssist(what: string, document: Json, response: http.ServerResponse, method: string): void {
		const json = (value: unknown) =>
			response.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify(value));
		if (method === 'streamGenerateContent' || method === 'generateContent') {
			this.#gemini(what, (document['request'] ?? {}) as Json, response, {
				streamed: method === 'streamGenerateContent',
				wrap: answer => ({response: answer}),
			});
		} else if (method === 'loadCodeAssist') {
			const tier = {id: 'standard-tier', name: 'Standard', isDefault: true};
			json({currentTier: tier, allowedTiers: [tier], cloudaicompanionProject: 'a-project'});
		} else if (method === 'countTokens') {
			json({totalTokens: 100});
		} else {
			json({});
		}
	}

	/** https://ai.google.dev/api/generate-content */
	#gemini(
		what: string,
		document: Json,
		response: http.ServerResponse,
		{streamed, wrap}: {readonly streamed: boolean; readonly wrap: (answer: Json) => Json},
	): void {
		const contents = document['contents'] as Json[] | undefined;
		if (!Array.isArray(contents)) {
			this.faults.push(`${what}: not a request for content`);
			response.writeHead(400).end();
			return;
		}

		const parts = contents.flatMap(content => (content['parts'] ?? []) as Json[]);
		const tools = ((document['tools'] ?? []) as Json[]).flatMap(tool => (tool['functionDeclarations'] ?? []) as Json[]);
		const turn = this.#next({
			results: parts
				.filter(part => part['functionResponse'])
				.map(part => JSON.stringify(part['functionResponse'].response)),
			prompt: contents
				.filter(content => content['role'] === 'user')
				.flatMap(content => content['parts'] as Json[])
				.map(part => String(part['text'] ?? ''))
				.join('\n'),
			tools: tools.map(tool => ({
				name: String(tool['name']),
				schema: (tool['parametersJsonSchema'] ?? tool['parameters'] ?? {}) as Json,
			})),
		});
		const wantsJson = document['generationConfig']?.responseMimeType === 'application/json';
		const part = turn.tool
			? {functionCall: {name: turn.tool.name, args: turn.tool.input}}
			: {
					text: wantsJson
						? '{"reasoning":"simple","complexity_reasoning":"simple","complexity_score":1,"model_choice":"flash"}'
						: 'All done.',
				};
		const answer = {
			candidates: [{content: {role: 'model', parts: [part]}, finishReason: 'STOP', index: 0}],
			usageMetadata: {
				promptTokenCount: 1200,
				cachedContentTokenCount: 200,
				candidatesTokenCount: 50,
				totalTokenCount: 1250,
			},
			modelVersion: 'gemini-2.5-flash',
		};
		if (streamed) {
			response.writeHead(200, {'content-type': 'text/event-stream'}).end(`data: ${JSON.stringify(wrap(answer))}\n\n`);
		} else {
			response.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify(wrap(answer)));
		}
	}
}

const copilotModel = {
	id: 'claude-sonnet-5',
	name: 'Claude Sonnet 5',
	object: 'model',
	vendor: 'Anthropic',
	version: 'claude-sonnet-5',
	preview: false,
	is_chat_default: true,
	is_chat_fallback: true,
	model_picker_enabled: true,
	supported_endpoints: ['/chat/completions'],
	policy: {state: 'enabled', terms: ''},
	billing: {is_premium: false, multiplier: 1},
	capabilities: {
		family: 'claude-sonnet-5',
		object: 'model_capabilities',
		tokenizer: 'o200k_base',
		type: 'chat',
		limits: {max_context_window_tokens: 200_000, max_output_tokens: 16_000, max_prompt_tokens: 128_000},
		supports: {parallel_tool_calls: true, streaming: true, tool_calls: true, vision: false},
	},
};
