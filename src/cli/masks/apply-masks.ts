import type { Line } from '../../config/line.ts';
import { lineMasks } from '../../config/mask-rules.ts';
import {
  MASKS_PATH,
  type MaskDifference,
  maskDifferences,
  readSharedMasks,
  sharedMasksSerde,
} from '../../config/shared-masks.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Coordination } from '../../ports/coordination.ts';
import { openLineFunctions } from './masks-in-force.ts';

/** What `umbus mask apply` has done. */
export interface AppliedMasks {
  /** The revision that is in force. */
  readonly revision: number;
  /** From the masks applied before, none at first, to those of the file; [] when they are the same and nothing was done. */
  readonly differences: readonly MaskDifference[];
}

/**
 * Puts the masks of the line file in force on the running line: its appenders take them over with the next record. Nothing changes when one of them cannot be used here. Errors:
 * UMBUS_CONFIG_INVALID, UMBUS_MASK_MODULE, UMBUS_COORDINATION_CONFLICT when another has applied masks at the same moment, others of coordination.
 */
export async function applyMasks(
  line: Line,
  coordination: Coordination,
  clock: Clock,
): Promise<AppliedMasks> {
  await using functions = await openLineFunctions(line);
  const serde = sharedMasksSerde(line.masking, functions);
  const cell = await coordination.get(MASKS_PATH);
  // What was applied before need not be usable any more: it is replaced.
  const before = cell === null ? null : readSharedMasks(cell.value);
  const masks = lineMasks(line);
  const differences = maskDifferences(before?.masks ?? {}, masks);
  if (before !== null && differences.length === 0) return { revision: before.revision, differences };
  const revision = (before?.revision ?? 0) + 1;
  const value = serde.encode({ revision, appliedAt: new Date(clock.now()).toISOString(), masks });
  // Decoding checks that they can be used.
  serde.decode(value);
  await coordination.put(MASKS_PATH, value, { ifVersion: cell?.version ?? 0n });
  return { revision, differences };
}
