import {execFileSync, spawn, type ChildProcess} from 'node:child_process';
import {mkdirSync, mkdtempSync, realpathSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type {TestContext} from 'node:test';

/** A session bus of its own, with a real gnome-keyring on it. Everything ends with the test. */
export class Keyring {
	readonly folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'keyring-'));
	readonly env: Record<string, string> = {};
	readonly #children: ChildProcess[] = [];
	#daemon: number | undefined;

	private constructor(test: Pick<TestContext, 'after'>) {
		test.after(() => this.end());
	}

	/**
	 * @param state `unlocked`; `locked`: somebody locked it, and there
	 * is no window to ask in; `absent`: a bus, and no keyring on it
	 */
	static async open(test: Pick<TestContext, 'after'>, state: 'unlocked' | 'locked' | 'absent'): Promise<Keyring> {
		const keyring = new Keyring(test);
		const home = path.join(keyring.folder, 'home');
		const runtime = path.join(keyring.folder, 'run');
		mkdirSync(home, {mode: 0o700});
		mkdirSync(runtime, {mode: 0o700});
		// Without service files the bus starts no keyring by itself, and no window.
		const env = {
			PATH: process.env['PATH'] ?? '',
			HOME: home,
			XDG_DATA_HOME: home,
			XDG_RUNTIME_DIR: runtime,
			XDG_DATA_DIRS: keyring.folder,
		};
		const bus = spawn(
			'dbus-daemon',
			['--session', '--nofork', '--nopidfile', '--print-address=1', `--address=unix:path=${keyring.folder}/bus`],
			{env, stdio: ['ignore', 'pipe', 'ignore']},
		);
		keyring.#children.push(bus);
		const address = await new Promise<string>((resolve, reject) => {
			bus.once('error', reject);
			bus.stdout.once('data', data => resolve(String(data).trim()));
		});
		Object.assign(keyring.env, {DBUS_SESSION_BUS_ADDRESS: address});
		if (state === 'absent') {
			return keyring;
		}

		// It makes its keyring only where it goes into the background by itself.
		execFileSync('gnome-keyring-daemon', ['--unlock', '--components=secrets'], {
			env: {...env, DBUS_SESSION_BUS_ADDRESS: address},
			input: 'a password\n',
			stdio: ['pipe', 'ignore', 'ignore'],
		});
		const send = (...argv: string[]) =>
			execFileSync('dbus-send', [`--bus=${address}`, '--print-reply', '--dest=org.freedesktop.secrets', ...argv], {
				env,
				encoding: 'utf8',
				stdio: ['ignore', 'pipe', 'pipe'],
			});
		for (let tries = 0; ; tries++) {
			try {
				send(
					'/org/freedesktop/secrets/collection/login',
					'org.freedesktop.DBus.Properties.Get',
					'string:org.freedesktop.Secret.Collection',
					'string:Locked',
				);
				break;
			} catch (error) {
				if (tries > 100) {
					throw error;
				}

				await new Promise(resolve => {
					setTimeout(resolve, 50);
				});
			}
		}

		const reply = execFileSync(
			'dbus-send',
			[
				`--bus=${address}`,
				'--print-reply',
				'--dest=org.freedesktop.DBus',
				'/',
				'org.freedesktop.DBus.GetConnectionUnixProcessID',
				'string:org.freedesktop.secrets',
			],
			{env, encoding: 'utf8'},
		);
		keyring.#daemon = Number(/uint32 (\d+)/.exec(reply)?.[1]);
		if (state === 'locked') {
			keyring.lock();
		}

		return keyring;
	}

	lock(): void {
		execFileSync(
			'dbus-send',
			[
				`--bus=${this.env['DBUS_SESSION_BUS_ADDRESS']}`,
				'--print-reply',
				'--dest=org.freedesktop.secrets',
				'/org/freedesktop/secrets',
				'org.freedesktop.Secret.Service.Lock',
				'array:objpath:/org/freedesktop/secrets/collection/login',
			],
			{stdio: 'ignore'},
		);
	}

	end(): void {
		if (this.#daemon !== undefined) {
			process.kill(this.#daemon, 'SIGKILL');
		}

		for (const child of this.#children) {
			child.kill('SIGKILL');
		}

		rmSync(this.folder, {recursive: true, force: true});
	}
}
