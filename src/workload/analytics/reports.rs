//! The three reports, and the order in which their numbers make a checksum.
//!
//! Every report begins with the number of rows in the range. Lists are folded in ascending order
//! of their key, zeros included, except the top products, which lead by what they sold.

use super::dataset::{Dataset, ENDPOINTS, PRODUCTS};

/// Product p is in category `p % CATEGORIES`.
const CATEGORIES: usize = 8;
const TOP_PRODUCTS: usize = 10;

/// Days `first..end` of the data; `first <= end <= DAYS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayRange {
    pub first: u32,
    pub end: u32,
}

/// Orders and their revenue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sold {
    orders: u64,
    cents: u64,
}

impl Sold {
    fn add(&mut self, cents: u32) {
        self.orders += 1;
        self.cents += u64::from(cents);
    }
}

/// Sales by day and category, their total, and the products that sold for most.
#[derive(Debug, PartialEq, Eq)]
pub struct Sales {
    total: Sold,
    /// One entry per day of the range, in order.
    days: Vec<[Sold; CATEGORIES]>,
    /// At most ten products that sold at all: by cents descending, then by number ascending.
    top: Vec<(u32, Sold)>,
}

/// Runs over the rows of the range once.
pub fn sales(data: &Dataset, range: DayRange) -> Sales {
    let mut total = Sold::default();
    let mut days = vec![[Sold::default(); CATEGORIES]; (range.end - range.first) as usize];
    let mut products = vec![Sold::default(); PRODUCTS as usize];
    for row in data.rows_of_days(range.first, range.end) {
        let (cents, product) = (data.amount_cents[row], usize::from(data.product[row]));
        let day = usize::from(data.day[row]) - range.first as usize;
        total.add(cents);
        days[day][product % CATEGORIES].add(cents);
        products[product].add(cents);
    }
    let mut top: Vec<_> = (0..).zip(products).filter(|(_, s)| s.orders > 0).collect();
    top.sort_unstable_by_key(|&(product, sold)| (std::cmp::Reverse(sold.cents), product));
    top.truncate(TOP_PRODUCTS);
    Sales { total, days, top }
}

impl Sales {
    /// Orders, cents; per day, per category: orders, cents; per top product: number, orders, cents.
    pub fn numbers(&self) -> Vec<u64> {
        let mut numbers = vec![self.total.orders, self.total.cents];
        let cells = self.days.iter().flatten();
        numbers.extend(cells.flat_map(|cell| [cell.orders, cell.cents]));
        let top = self.top.iter();
        numbers.extend(top.flat_map(|&(product, s)| [u64::from(product), s.orders, s.cents]));
        numbers
    }
}

/// Who bought in the range, and since when they have been buying.
#[derive(Debug, PartialEq, Eq)]
pub struct Users {
    rows: u64,
    distinct: u64,
    /// First order of all within the range; the others had ordered before it.
    new: u64,
    /// More than one order in the range.
    repeating: u64,
    /// By day of the first order of all, from day 0 to the last of the range: how many of these
    /// users ordered in the range, and how often.
    cohorts: Vec<Cohort>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Cohort {
    users: u64,
    orders: u64,
}

/// Runs over the rows before and in the range once, and over all users once.
pub fn users(data: &Dataset, range: DayRange) -> Users {
    let in_range = data.rows_of_days(range.first, range.end);
    let mut first_day = vec![u16::MAX; data.users as usize];
    let mut orders = vec![0_u32; data.users as usize];
    for row in 0..in_range.end {
        let user = data.user[row] as usize;
        // Rows are in the order of time, so the first day seen is the first day.
        if first_day[user] == u16::MAX {
            first_day[user] = data.day[row];
        }
        orders[user] += u32::from(row >= in_range.start);
    }
    let mut report = Users {
        rows: in_range.len() as u64,
        distinct: 0,
        new: 0,
        repeating: 0,
        cohorts: vec![Cohort::default(); range.end as usize],
    };
    for (&day, &orders) in first_day.iter().zip(&orders).filter(|&(_, &n)| n > 0) {
        report.distinct += 1;
        report.new += u64::from(u32::from(day) >= range.first);
        report.repeating += u64::from(orders > 1);
        let cohort = &mut report.cohorts[usize::from(day)];
        cohort.users += 1;
        cohort.orders += u64::from(orders);
    }
    report
}

impl Users {
    /// Rows, distinct, new, returning, repeating; per cohort: users, orders.
    pub fn numbers(&self) -> Vec<u64> {
        let returning = self.distinct - self.new;
        let mut numbers = vec![self.rows, self.distinct, self.new, returning, self.repeating];
        numbers.extend(self.cohorts.iter().flat_map(|c| [c.users, c.orders]));
        numbers
    }
}

/// How fast and how reliably each endpoint answered in the range.
#[derive(Debug, PartialEq, Eq)]
pub struct Performance {
    rows: u64,
    /// One entry per endpoint, in order.
    endpoints: Vec<Endpoint>,
}

/// All zero for an endpoint without requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Endpoint {
    requests: u64,
    errors: u64,
    p50_us: u64,
    p90_us: u64,
    p99_us: u64,
    max_us: u64,
}

/// Runs over the rows of the range once, then sorts the latencies of each endpoint.
pub fn performance(data: &Dataset, range: DayRange) -> Performance {
    let in_range = data.rows_of_days(range.first, range.end);
    let mut latencies = vec![Vec::new(); ENDPOINTS as usize];
    let mut errors = [0; ENDPOINTS as usize];
    for row in in_range.clone() {
        let endpoint = usize::from(data.endpoint[row]);
        latencies[endpoint].push(data.latency_us[row]);
        errors[endpoint] += u64::from(data.error[row]);
    }
    let endpoints = latencies.iter_mut().zip(errors);
    Performance {
        rows: in_range.len() as u64,
        endpoints: endpoints.map(|(l, errors)| endpoint(l, errors)).collect(),
    }
}

fn endpoint(latencies_us: &mut [u32], errors: u64) -> Endpoint {
    if latencies_us.is_empty() {
        return Endpoint::default();
    }
    latencies_us.sort_unstable();
    // Nearest rank: the smallest value that `percent` of all do not exceed.
    let at = |percent: usize| {
        let rank = (latencies_us.len() * percent).div_ceil(100);
        u64::from(latencies_us[rank - 1])
    };
    Endpoint {
        requests: latencies_us.len() as u64,
        errors,
        p50_us: at(50),
        p90_us: at(90),
        p99_us: at(99),
        max_us: at(100),
    }
}

impl Performance {
    /// Rows; per endpoint: requests, errors, errors per million requests rounded down, and the
    /// latencies p50, p90, p99, max.
    pub fn numbers(&self) -> Vec<u64> {
        let mut numbers = vec![self.rows];
        numbers.extend(self.endpoints.iter().flat_map(|e| {
            let errors_ppm = e.errors * 1_000_000 / e.requests.max(1);
            [e.requests, e.errors, errors_ppm, e.p50_us, e.p90_us, e.p99_us, e.max_us]
        }));
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::super::dataset::DAYS;
    use super::*;

    /// Day, user, product, cents, endpoint, latency, error.
    type Row = (u16, u32, u16, u32, u8, u32, u8);

    fn data(rows: &[Row]) -> Dataset {
        Dataset {
            seed: 0,
            users: 8,
            day: rows.iter().map(|r| r.0).collect(),
            user: rows.iter().map(|r| r.1).collect(),
            product: rows.iter().map(|r| r.2).collect(),
            amount_cents: rows.iter().map(|r| r.3).collect(),
            endpoint: rows.iter().map(|r| r.4).collect(),
            latency_us: rows.iter().map(|r| r.5).collect(),
            error: rows.iter().map(|r| r.6).collect(),
        }
    }

    /// Small enough to add up by hand.
    fn week() -> Dataset {
        data(&[
            (0, 1, 8, 100, 0, 10, 0),
            (1, 2, 9, 250, 0, 30, 1),
            (1, 1, 8, 100, 0, 20, 0),
            (2, 3, 9, 50, 1, 70, 0),
            (2, 1, 1, 300, 0, 40, 0),
            (3, 4, 9, 999, 1, 90, 1),
        ])
    }

    const MIDDLE: DayRange = DayRange { first: 1, end: 3 };

    #[test]
    fn sales_add_up_by_day_and_category_and_lead_with_what_sold_most() {
        let report = sales(&week(), MIDDLE);
        let sold = |orders, cents| Sold { orders, cents };
        assert_eq!(report.total, sold(4, 700));
        assert_eq!(report.days.len(), 2);
        assert_eq!(report.days[0][..2], [sold(1, 100), sold(1, 250)]);
        assert_eq!(report.days[1][..2], [sold(0, 0), sold(2, 350)]);
        // Products 1 and 9 sold for the same: the lower number leads.
        assert_eq!(report.top, [(1, sold(1, 300)), (9, sold(2, 300)), (8, sold(1, 100))]);
        let numbers = report.numbers();
        assert_eq!(numbers.len(), 2 + 2 * 8 * 2 + 3 * 3);
        assert_eq!(numbers[..6], [4, 700, 1, 100, 1, 250]);
        assert_eq!(numbers[34..37], [1, 1, 300]);
    }

    #[test]
    fn users_are_new_or_returning_and_counted_in_their_first_days_cohort() {
        let numbers = users(&week(), MIDDLE).numbers();
        // User 1 came on day 0, 2 on day 1, 3 on day 2; user 4 after the range.
        assert_eq!(numbers, [4, 3, 2, 1, 1, /* day 0 */ 1, 2, 1, 1, 1, 1]);
    }

    #[test]
    fn performance_takes_nearest_ranks_per_endpoint() {
        let report = performance(&week(), MIDDLE);
        let numbers = report.numbers();
        assert_eq!(numbers.len(), 1 + 12 * 7);
        assert_eq!(numbers[..8], [4, 3, 1, 333_333, 30, 40, 40, 40]);
        assert_eq!(numbers[8..15], [1, 0, 0, 70, 70, 70, 70]);
        assert_eq!(numbers[15..], [0; 70]);
        let mut hundred: Vec<u32> = (1..=100).rev().collect();
        let whole = endpoint(&mut hundred, 0);
        assert_eq!((whole.p50_us, whole.p90_us, whole.p99_us), (50, 90, 99));
    }

    #[test]
    fn an_empty_range_is_an_empty_report() {
        for day in [0, 2, DAYS] {
            let range = DayRange { first: day, end: day };
            assert_eq!(sales(&week(), range).numbers(), [0, 0]);
            let users = users(&week(), range).numbers();
            assert_eq!(users.len(), 5 + 2 * day as usize);
            assert!(users.iter().all(|&n| n == 0));
            assert!(performance(&week(), range).numbers().iter().all(|&n| n == 0));
        }
    }
}
