export { type OpenMaskFunctions, openMaskFunctions } from './worker-functions.ts';
