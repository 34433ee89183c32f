# Words of the public displays. Each line may be as wide as its comment says, counted in Chinese characters (a Latin letter is half of one).

## Marks
# stack light head, at most 5
sim-data = 模拟数据
# at most 5; the plant's clock runs faster than the wall's
sim-speed = { $speed } 倍速
# head of the 9:16 overlay, at most 5
sim-short = SIM 模拟
# at most 8
mark-stale-at = 停在 { $time }
# at most 4
mark-offline = 离线
# at most 7
mark-delay = 延时 { $span }

## Head
# title before the line is known, at most 12
waiting-title = 等待产线数据
# at most 26
waiting-path = 尚未收到心跳
# at most 4
record = 记录
# at most 4 each
weekday-0 = 周日
weekday-1 = 周一
weekday-2 = 周二
weekday-3 = 周三
weekday-4 = 周四
weekday-5 = 周五
weekday-6 = 周六
# at most 20
date-line = { $date } { $weekday } · { $shift } { $from }–{ $to }
date-alone = { $date } { $weekday }

## Figures
# name on an overlay, at most 6
air-utilization = 设备利用率
air-first_pass_yield = 一次合格率
air-takt = 节拍
# denominator and window, at most 19
of-utilization = 占已观测计划时间 · { $window } · { $machines } 台
of-first_pass_yield = 合格 ÷ 已判 · { $window } · n = { $n }
of-takt = { $machine } · { $window } · n = { $n }
# denominator on an overlay, at most 9
air-of-utilization = 占已观测计划时间
air-of-first_pass_yield = 合格 ÷ 已判
air-of-takt = { $brief }
# at most 3 each
air-window-shift = 本班
air-window-hour = 本小时
# a band of parts, at most 8
band = { $low }–{ $high } 件
band-k = { $low }–{ $high } 千件
# the word before a target, at most 3
goal = 目标
# at most 8
seen = 覆盖 { $share } %
# at most 5
live = 实时
# why there is no number, at most 12
why-few = 不足 30 件，不显示
why-unseen = { $time } 起无数据
why-little = 观测不足
why-nothing = 尚无数据
# at most 6
seen-only-note = 仅已观测

## What is going on, one line of at most 40
story-stopped = { $machine } { $time } 停机
story-starved = → { $machines }待料
story-blocked = ，{ $machines }堵料
story-all = { $n } 站全部运行
story-all-note = 已连续 { $span }
story-unseen = { $machine } { $time } 起无数据
story-unseen-note = 另有 { $n } 站无数据
story-stale = 数据停在 { $time }
story-stale-note = 各站此后未观测
story-offline-note = 网关离线，各站此后未观测
story-waiting = 尚未收到产线数据
list-separator = 、

## Stations
# under the state, at most 9
why-executing = 周期 { $cycle } s
why-starved = 缺来料
why-blocked = 下游已满
why-changeover = 换型中
why-idle = 无工单
why-out_of_service = 不在计划内
why-stopped = 原因未知
why-unknown = { $time } 后未观测
why-unheard = 尚无数据
# both together at most 10
since-at = { $time } 起
since-lasting = { " " }· { $span }
unseen-at = 已 { $span }
unseen-lasting = { "" }
# at most 3
util = 利用率
# at most 2 each
good = 合格
scrap = 报废
# at most 12
no-stations = 尚未收到各站状态

## Bottom row
# at most 7
last-part = 最近一件检验
# at most 3
part-number = 件号
# at most 10
inspection-of = { $machine }检验
# at most 4 each
count-pass = 合格
count-reject = 剔除
count-ask = 待人工判
# at most 6
packed = 下线合格
# at most 4
jobs = 接下来
# at most 5
jobs-advice = 排产建议
jobs-rules = 规则排产
# at most 8
none-yet = 尚无
# defect words of the casting model, at most 8; one without words is shown as it stands
defect-blowhole = 气孔
defect-crack = 裂纹
defect-flash = 飞边
defect-misrun = 浇不足
defect-unfamiliar = 外观陌生
defect-unreadable = 图像不清
defect-not_judged = 未判定
defect-none = 未见缺陷
defect-process = 工艺偏离
# reasons of a job against the next best, at most 12
job-same_family = 同模不换型，省 { $saves }
job-rush = 急单
job-ready_first = 先到料，早 { $saves }
job-due_first = 交期最近
job-shortest = 用时短 { $saves }
job-preferred = 综合更优
job-only_choice = 唯一可排
job-frozen = 已锁定

## Overlays
# after the count of running stations, at most 6
running-of = / { $n } 站运行
# at most 6
record-place = 记录位置
# city by site word, at most 4; a site without one is shown as it stands
site-foshan = 佛山
