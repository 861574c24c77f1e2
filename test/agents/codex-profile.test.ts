import {testProfile} from '../support/drive-profile.ts';

testProfile('codex');
