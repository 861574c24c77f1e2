import {testProfile} from '../support/drive-profile.ts';

testProfile('copilot');
