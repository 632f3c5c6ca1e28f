import type { OpenMaskFunctions } from '../../adapters/mask-functions/index.ts';
import type { Line } from '../../config/line.ts';
import { lineMasks } from '../../config/mask-rules.ts';
import {
  fileMasks,
  MASKS_PATH,
  maskDifferences,
  type SharedMasks,
  sharedMasksSerde,
} from '../../config/shared-masks.ts';
import { UmbusError } from '../../core/errors.ts';
import type { Coordination } from '../../ports/coordination.ts';
import { differencesText } from './differences-text.ts';

/** The masks that rows of a line are masked with now, and what runs those that the user wrote. */
export interface MasksInForce extends AsyncDisposable {
  readonly masks: SharedMasks;
  readonly functions: OpenMaskFunctions;
  /** Reads shared masks that this process can use. Errors: UMBUS_CONFIG_INVALID, UMBUS_MASK_MODULE. */
  readonly read: (value: Uint8Array) => SharedMasks;
}

/** What runs the masks that the user of a line wrote. Holds nothing before its first call. */
export async function openLineFunctions({ masking }: Pick<Line, 'masking'>): Promise<OpenMaskFunctions> {
  const { openMaskFunctions } = await import('../../adapters/mask-functions/index.ts');
  return openMaskFunctions(masking);
}

/**
 * The masks of a line for a process that starts: those that were applied to it, which the line file must have too, or, before any were, those of the line file. So a file that was
 * changed and not applied stops the start, whichever way it was changed. Errors: UMBUS_MASK_DIFFERS, UMBUS_MASK_MODULE, UMBUS_CONFIG_INVALID for
 * applied masks that this process lacks a key for, UMBUS_COORDINATION_*.
 */
export async function openMasksInForce(line: Line, coordination: Coordination): Promise<MasksInForce> {
  await using opened = new AsyncDisposableStack();
  const functions = opened.use(await openLineFunctions(line));
  const serde = sharedMasksSerde(line.masking, functions);
  const cell = await coordination.get(MASKS_PATH);
  // Decoding is what checks them.
  const masks = serde.decode(cell?.value ?? serde.encode(fileMasks(line)));
  const differences = maskDifferences(masks.masks, lineMasks(line));
  if (differences.length > 0) {
    throw new UmbusError(
      'UMBUS_MASK_DIFFERS',
      `The masks of the line file are not those that were applied to the line ${line.ds} (revision ${masks.revision}, ${masks.appliedAt}). From those applied to the file:\n${differencesText(differences)}`,
      { details: { revision: masks.revision } },
    );
  }
  const kept = opened.move();
  return { masks, functions, read: serde.decode, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
