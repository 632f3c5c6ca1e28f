import type { ColumnCode } from './column-code.ts';
import type { MaskCode } from './row-mask.ts';

/** A column of {@link partialSource}. */
export interface PartialColumn {
  readonly code: ColumnCode;
  /** Place among the table's JSON columns; -1 for another type. */
  readonly json: number;
}

/**
 * The text of row functions for images that lack columns, or whose JSON columns hold differences: it goes into the body that compile.ts makes, and uses its names. What
 * images lack differs from event to event, so the code asks the bitmaps of the event, at P and A in its bytes; that is slower than the code for whole images.
 *
 * `survey` walks over an image without writing and keeps where each column begins and ends: in X and Z, or in Y and U for an after image. A begin of -1 is NULL, one of -2 says
 * that the column is not there. `place` writes an image; with `merged`, a column that the image lacks is taken from the image surveyed into X, and what
 * neither has is written as the mark `{}`. An image without columns takes no bytes: where bytes are left, it is a damaged event, and would be read for ever.
 * Called for one image of an update after the other, `rows` takes them in turns; T says which comes.
 */
export function partialSource(
  columns: readonly PartialColumn[],
  key: readonly number[],
  parameters: string,
  marks: boolean,
  masking: MaskCode,
): string {
  const count = columns.length;
  const jsonBytes = (columns.filter(({ json }) => json >= 0).length + 7) >> 3;
  // After images of PARTIAL_UPDATE_ROWS begin with options, and with option 1 a bit for each JSON column says whether it holds differences.
  const readOptions =
    `let j=-1;if(after&&D){if(o>=e)short(-1);const s=b[o++];if(s>1)short(-1);` +
    `if(s===1){j=o;o+=${jsonBytes};if(o>e)short(-1);}}`;
  const readBitmap = `${readOptions}const z=o;o+=bitsOf(b,Q)+7>>3;if(o>e)short(-1);let k=0;`;
  const survey = columns.map(
    ({ code }, i) =>
      `if(${bit('b', 'Q', i)}){if(b[z+(k>>3)]>>(k&7)&1)X[${i}]=-1;else{X[${i}]=o;${code.skip}if(o>e)short(${i});Z[${i}]=o;}k++;}else X[${i}]=-2;`,
  );
  const place = columns.map(({ code, json }, i) => {
    const differences =
      json < 0
        ? ''
        : `if(j>=0&&g&&b[j+${json >> 3}]>>${json & 7}&1){p=writeJsonChange(out,b,d,X[${i}],Z[${i}],h,e,p,F);` +
          `if(p===-2)lacking(${i});if(p<0)invalid(${i});w=out.bytes;v=out.view;cap=w.length;o=h;${code.skip}}else `;
    const value =
      `if(h===-2){${marks ? 'w[p]=123;w[p+1]=125;p+=2;' : `lacking(${i});`}}else if(h===-1){v.setUint32(p,0x6c6c756e,true);p+=4;}` +
      `else{${differences}{const back=o;o=h;${code.write}if(!g)o=back;}}`;
    return (
      `w[p++]=44;g=${bit('b', 'Q', i)};if(g){h=b[z+(k>>3)]>>(k&7)&1?-1:o;k++;}else h=merged?X[${i}]:-2;` +
      masking.around(i, value)
    );
  });
  const changed = key
    .map(i => `(X[${i}]!==-2&&Y[${i}]!==-2&&differ(b,X[${i}],Z[${i}],Y[${i}],U[${i}]))`)
    .join('||');
  return `let P=0,A=0,D=false,T=0;
const BX=new Float64Array(${count}),BZ=new Float64Array(${count}),BY=new Float64Array(${count}),BU=new Float64Array(${count});
function bitsOf(b,Q){let n=0;for(let i=0;i<${count};i++)n+=b[Q+(i>>3)]>>(i&7)&1;return n;}
function survey(b,d,o,e,Q,after,X,Z){${readBitmap}${survey.join('')}return o;}
function place(b,d,o,e,out,prefix,Q,after,merged){let w=out.bytes,v=out.view,cap=w.length,p=out.length,h=0,g=0;const X=BX,Z=BZ;
if(p+F>cap){out.grow(p,F);w=out.bytes;v=out.view;cap=w.length;}p=prefix.put(v,p);
${readBitmap}${place.join('\n')}
if(o>e)short(-1);${masking.apply}w[p]=93;w[p+1]=125;w[p+2]=44;out.length=p+3;return o;}
function partialRows(${parameters}){const length=out.length;let k=0,p0=length;
try{while(o<e){const from=o;p0=out.length;
if(T===2){survey(b,d,o,e,P,false,BX,BZ);T=1;o=place(b,d,o,e,out,prefix,P,false,false);}
else if(T===1){T=2;o=place(b,d,o,e,out,prefix,A,true,true);}
else o=place(b,d,o,e,out,prefix,P,false,false);
if(o===from)short(-1);prefix.next();k++;if(k>=most||out.length>=end)break;}}
catch(error){out.length=length;throw error;}
out.lastStart=p0;out.lastTuples=1;out.tuples+=k;out.rows+=k;return o;}
function partialChanges(b,d,o,e,out,prefix,most,end,all){const length=out.length;const X=BX,Z=BZ,Y=BY,U=BU;let k=0,n=1,p0=length,done=0;
try{while(o<e){const from=o;p0=out.length;n=1;const middle=survey(b,d,o,e,P,false,X,Z);if(middle>=e)short(-1);
survey(b,d,middle,e,A,true,Y,U);
if(all||${changed || 'false'}){n=2;prefix.before();place(b,d,from,e,out,prefix,P,false,false);prefix.after();}
o=place(b,d,middle,e,out,prefix,A,true,true);if(o===from)short(-1);prefix.next();k+=n;done++;if(k>=most||out.length>=end)break;}}
catch(error){out.length=length;throw error;}
out.lastStart=p0;out.lastTuples=n;out.tuples+=k;out.rows+=done;return o;}
function begin(presentAt,presentAfterAt,update,differences){P=presentAt;A=presentAfterAt;T=update?2:0;D=differences;}
function count(b,d,o,e,update){let n=0;while(o<e){const from=o;o=survey(b,d,o,e,P,false,BX,BZ);if(update){if(o>=e)short(-1);o=survey(b,d,o,e,A,true,BY,BU);}if(o===from)short(-1);n++;}return n;}
return {rows:partialRows,pairs:(${parameters})=>partialChanges(${parameters},true),
updates:(${parameters})=>partialChanges(${parameters},false),begin,count};`;
}

/** Whether bit `i` of the bitmap at `at` is set. */
function bit(bytes: string, at: string, i: number): string {
  return `${bytes}[${at}+${i >> 3}]>>${i & 7}&1`;
}
