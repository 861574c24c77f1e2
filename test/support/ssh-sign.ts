import {createHash, generateKeyPairSync, sign, type KeyObject} from 'node:crypto';

/* SSH signatures made in this process: many at once, and those of a hardware key that nobody has to touch. */

const string = (bytes: Buffer | string): Buffer => {
	const own = Buffer.from(bytes as string);
	const length = Buffer.alloc(4);
	length.writeUInt32BE(own.length);
	return Buffer.concat([length, own]);
};

/** What a key signs for a text: see PROTOCOL.sshsig of OpenSSH. */
function signedBytes(text: string, namespace: string): Buffer {
	const digest = createHash('sha512').update(text).digest();
	return Buffer.concat([Buffer.from('SSHSIG'), string(namespace), string(''), string('sha512'), string(digest)]);
}

/** A signature in its armour. @param parts bytes, after `SSHSIG` and the version */
export function armour(parts: Buffer): string {
	const base64 = Buffer.concat([Buffer.from('SSHSIG\0\0\0\u0001', 'latin1'), parts]).toString('base64');
	return `-----BEGIN SSH SIGNATURE-----\n${base64.match(/.{1,70}/g)!.join('\n')}\n-----END SSH SIGNATURE-----\n`;
}

/** A key, the line of its public half, and how it signs. */
export type Signer = {readonly line: string; sign(text: string, namespace: string): string};

const pointOf = (key: KeyObject) => Buffer.from(key.export({format: 'jwk'}).x!, 'base64url');

function signer(type: string, keyBytes: Buffer, own: (data: Buffer) => Buffer): Signer {
	return {
		line: `${type} ${keyBytes.toString('base64')}`,
		sign(text, namespace) {
			const parts = [keyBytes, namespace, '', 'sha512', own(signedBytes(text, namespace))];
			return armour(Buffer.concat(parts.map(part => string(part))));
		},
	};
}

export function ed25519Signer(): Signer {
	const {publicKey, privateKey} = generateKeyPairSync('ed25519');
	const type = 'ssh-ed25519';
	const keyBytes = Buffer.concat([string(type), string(pointOf(publicKey))]);
	return signer(type, keyBytes, data => Buffer.concat([string(type), string(sign(null, data, privateKey))]));
}

/** As a hardware key signs (PROTOCOL.u2f): over what it was asked for, and that it was touched. */
export function hardwareSigner(): Signer {
	const {publicKey, privateKey} = generateKeyPairSync('ed25519');
	const [type, application] = ['sk-ssh-ed25519@openssh.com', 'ssh:'];
	const keyBytes = Buffer.concat([string(type), string(pointOf(publicKey)), string(application)]);
	const touched = Buffer.from([1, 0, 0, 0, 7]);
	const hash = (bytes: Buffer | string) =>
		createHash('sha256')
			.update(bytes as string)
			.digest();
	return signer(type, keyBytes, data => {
		const own = sign(null, Buffer.concat([hash(application), touched, hash(data)]), privateKey);
		return Buffer.concat([string(type), string(own), touched]);
	});
}
