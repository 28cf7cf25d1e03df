import * as echarts from 'echarts/core';
import { LineChart, BarChart } from 'echarts/charts';
import { GridSimpleComponent, TooltipComponent } from 'echarts/components';
import { CanvasRenderer } from 'echarts/renderers';
echarts.use([LineChart, BarChart, GridSimpleComponent, TooltipComponent, CanvasRenderer]);
export { init, getInstanceByDom } from 'echarts/core';
