import type { Coordination } from '../../ports/coordination.ts';

/** Which of the topologies that do full pulls no live process of a line runs, as a clause; null: both are run. Errors: UMBUS_COORDINATION_*. */
export async function absentWorkers(
  coordination: Pick<Coordination, 'members'>,
  ds: string,
): Promise<string | null> {
  // As `presence` names them: <instance>/<member>/<topology>.
  const own = (await coordination.members()).map(({ id }) => id).filter(id => id.startsWith(`${ds}/`));
  const absent = ['splitter', 'puller'].filter(name => !own.some(id => id.endsWith(`/${name}`)));
  return absent.length === 0 ? null : `no live process runs the ${absent.join(' or the ')}`;
}
