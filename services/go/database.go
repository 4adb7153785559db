package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

const (
	acquireTimeout = 30 * time.Second
	queryTimeout   = 30 * time.Second
	connectTimeout = 2 * time.Second
	readyTimeout   = 2 * time.Second
	never          = 24 * 365 * time.Hour
)

// Item is one row of the catalogue.
type Item struct {
	ID          int32  `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	PriceCents  int32  `json:"price_cents"`
	Stock       int32  `json:"stock"`
}

// Database is the service's Postgres: a pool whose connections are opened as they are needed.
type Database struct {
	pool  *pgxpool.Pool
	store *Store // nil where metrics are off
}

// OpenDatabase checks the settings and opens nothing yet, so that the service starts without Postgres.
func OpenDatabase(settings Settings, store *Store) (*Database, error) {
	config, err := pgxpool.ParseConfig(settings.DatabaseURL)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	if settings.DatabasePassword != "" {
		config.ConnConfig.Password = settings.DatabasePassword
	}
	config.ConnConfig.ConnectTimeout = connectTimeout
	config.ConnConfig.RuntimeParams["application_name"] = settings.Service
	config.MaxConns = int32(settings.Workers * settings.PoolSize)
	config.MinConns = 0
	config.MaxConnLifetime = never
	config.MaxConnIdleTime = never
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	return &Database{pool: pool, store: store}, nil
}

// Close waits for the connections in use and closes all.
func (d *Database) Close() { d.pool.Close() }

// Ready is a 503 fault where Postgres does not answer; a pool that is busy is a pool that works.
func (d *Database) Ready(ctx context.Context) error {
	stat := d.pool.Stat()
	if stat.AcquiredConns() >= stat.MaxConns() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	return d.use(ctx, func(ctx context.Context, connection *pgxpool.Conn) error {
		return connection.Ping(ctx)
	})
}

// Item reads one item; a 404 fault where there is none.
func (d *Database) Item(ctx context.Context, id int) (item Item, err error) {
	err = d.use(ctx, func(ctx context.Context, connection *pgxpool.Conn) error {
		rows, err := connection.Query(ctx, itemQuery, id)
		if err != nil {
			return err
		}
		item, err = pgx.CollectExactlyOneRow(rows, scanItem)
		if errors.Is(err, pgx.ErrNoRows) {
			return notFound(fmt.Sprintf("no item %d", id))
		}
		return err
	})
	return item, err
}

// Items reads a page in order of id.
func (d *Database) Items(ctx context.Context, limit, offset int) (items []Item, err error) {
	err = d.use(ctx, func(ctx context.Context, connection *pgxpool.Conn) error {
		rows, err := connection.Query(ctx, itemsQuery, limit, offset)
		if err != nil {
			return err
		}
		items, err = pgx.CollectRows(rows, scanItem)
		return err
	})
	return items, err
}

// Wait runs one query that takes ms milliseconds.
func (d *Database) Wait(ctx context.Context, ms int) error {
	return d.use(ctx, func(ctx context.Context, connection *pgxpool.Conn) error {
		_, err := connection.Exec(ctx, waitQuery, ms)
		return err
	})
}

// Fanout runs n waits at once.
func (d *Database) Fanout(ctx context.Context, n, ms int) error {
	group, ctx := errgroup.WithContext(ctx)
	for range n {
		group.Go(func() error { return d.Wait(ctx, ms) })
	}
	return group.Wait()
}

// PlaceOrder prices and inserts an order in one transaction; a 422 fault leaves nothing behind.
func (d *Database) PlaceOrder(ctx context.Context, order Order) (id, total int64, err error) {
	err = d.use(ctx, func(ctx context.Context, connection *pgxpool.Conn) error {
		return pgx.BeginFunc(ctx, connection, func(tx pgx.Tx) error {
			id, total, err = place(ctx, tx, order)
			return err
		})
	})
	return id, total, err
}

func place(ctx context.Context, tx pgx.Tx, order Order) (id, total int64, err error) {
	prices, err := priced(ctx, tx, order)
	if err != nil {
		return 0, 0, err
	}
	for index, price := range prices {
		total += int64(price) * int64(order.Quantities[index])
	}
	if err = tx.QueryRow(ctx, newOrderQuery, order.CustomerID, order.Note, total).Scan(&id); err != nil {
		return 0, 0, err
	}
	_, err = tx.Exec(ctx, newLinesQuery, id, order.ItemIDs, order.Quantities, prices)
	return id, total, err
}

// priced finds the price of every line; a 422 fault names an unknown customer and unknown items.
func priced(ctx context.Context, tx pgx.Tx, order Order) ([]int32, error) {
	var wrong problems
	var customer int32
	err := tx.QueryRow(ctx, customerQuery, order.CustomerID).Scan(&customer)
	if errors.Is(err, pgx.ErrNoRows) {
		wrong.add("customer_id", "no such customer")
	} else if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, pricesQuery, order.ItemIDs)
	if err != nil {
		return nil, err
	}
	known := make(map[int32]int32, len(order.ItemIDs))
	var item, price int32
	if _, err = pgx.ForEachRow(rows, []any{&item, &price}, func() error { known[item] = price; return nil }); err != nil {
		return nil, err
	}
	prices := make([]int32, len(order.ItemIDs))
	for index, item := range order.ItemIDs {
		price, found := known[item]
		if !found {
			wrong.add(fmt.Sprintf("lines.%d.item_id", index), "no such item")
		}
		prices[index] = price
	}
	return prices, wrong.fault()
}

// use runs work on a pooled connection and turns the database's absence into a 503 fault.
func (d *Database) use(ctx context.Context, work func(context.Context, *pgxpool.Conn) error) error {
	connection, err := d.acquire(ctx)
	if err != nil {
		return translated(err)
	}
	defer d.release(connection)
	// A client that hangs up does not stop its query, as in the other services: pgx would have to throw
	// the connection away.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), queryTimeout)
	defer cancel()
	return translated(work(ctx, connection))
}

func (d *Database) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, acquireTimeout)
	defer cancel()
	if d.store == nil {
		return d.pool.Acquire(ctx)
	}
	d.store.add(placePending, 1)
	asked := time.Now()
	connection, err := d.pool.Acquire(ctx)
	d.store.add(placePending, -1)
	if err == nil {
		waited := time.Since(asked)
		d.store.observe(placeWait, waited)
		d.store.observeFine(placeFineWait, waited)
		d.store.add(placeUsed, 1)
	}
	return connection, err
}

func (d *Database) release(connection *pgxpool.Conn) {
	connection.Release()
	if d.store != nil {
		d.store.add(placeUsed, -1)
	}
}

func scanItem(row pgx.CollectableRow) (item Item, err error) {
	err = row.Scan(&item.ID, &item.Name, &item.Description, &item.PriceCents, &item.Stock)
	return item, err
}

// away holds the SQLSTATE classes that mean "no database for you now": connection, authorisation,
// missing database, resources, operator, system.
var away = map[string]bool{"08": true, "28": true, "3D": true, "53": true, "57": true, "58": true}

func translated(err error) error {
	var fault *Fault
	if err == nil || errors.As(err, &fault) {
		return err
	}
	var reported *pgconn.PgError
	if errors.As(err, &reported) && !away[reported.Code[:2]] {
		return err
	}
	return unavailable("the database is out of reach: " + reason(err))
}

// reason leaves out what the driver's text says of host and user.
func reason(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	var refused *pgconn.ConnectError
	if errors.As(err, &refused) {
		return "cannot connect"
	}
	return "the connection broke"
}
