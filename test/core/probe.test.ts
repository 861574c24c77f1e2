import assert from 'node:assert/strict';
import {test} from 'node:test';
import {judge} from '../../source/core/run/audit.ts';
import {isRefused} from '../../source/core/probe.ts';

test('a proxy that did not answer is no proof, neither way', () => {
	const status = (answer: string) => judge({blocked: isRefused(answer), hostAgrees: true, control: true});
	assert.equal(status('HTTP/1.1 403 Forbidden'), 'PASS');
	assert.equal(status('HTTP/1.1 200 Connection established'), 'FAIL');
	for (const answer of ['timeout', 'closed', '', 'ECONNRESET', 'HTTP/1.1 502 Bad Gateway']) {
		assert.equal(status(answer), 'ERROR', answer);
	}
});
